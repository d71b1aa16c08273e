"""Known causes, one file each: `RULE = Rule(...)`. What a rule may look at and say is in `evidence`."""
