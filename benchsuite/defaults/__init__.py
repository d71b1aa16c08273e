"""The stack as somebody who pins nothing builds it: what the suite's own regimes, which pin, cannot show."""
