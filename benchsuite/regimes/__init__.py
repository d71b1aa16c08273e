"""One file a transform; `core` names the tuples of them."""
