"""Studies in one SQLite file."""
