"""Open a finished run from Python: its tables, settings and networks. `molap.open` is the way in."""
