"""`benchsuite ab`: pairs of trials of two arms until all is decided, and what is then said."""
