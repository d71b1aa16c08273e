"""The commands of `benchsuite`, one file each: translation only."""
