"""Two nights against each other: what is new, still there and fixed, as one rolling issue. Pure, but for `read`."""
