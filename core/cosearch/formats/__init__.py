"""File formats: cosearch's own specification of a mapped layer, and Timeloop's files."""
