"""The two arms of `benchsuite ab`: what a user asks for, as a Python environment that is there and works."""
