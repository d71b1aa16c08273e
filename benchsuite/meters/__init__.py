"""One file a meter: each owns the metrics it yields."""
