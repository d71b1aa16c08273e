"""One file a form: each turns a run into a string."""
