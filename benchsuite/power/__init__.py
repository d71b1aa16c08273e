"""The gate held to real trials: processes that measured every arm in turns, recorded over sittings, and their table."""
