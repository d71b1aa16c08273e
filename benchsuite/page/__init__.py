"""The parts of `report.html`: a run -> figures, tables and words. Pure; `reporters/html.py` puts them on one page."""
