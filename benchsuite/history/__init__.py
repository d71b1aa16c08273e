"""What every run measured, over runs: an index beside the runs, and what is shown of it.

`index.points(results, metric)` is the door for other programs.
"""
