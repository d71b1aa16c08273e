"""What `benchsuite doctor` looks at: one file a check, pure functions over what `examine` read."""
