"""Planted faults, one small module a family: what the self-test must see. `_fault` says what a fault is."""
