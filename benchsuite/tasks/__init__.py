"""One file a task: data and its metric."""
