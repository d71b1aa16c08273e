"""One kind, one file: each judges one metric's trials against a baseline's."""
