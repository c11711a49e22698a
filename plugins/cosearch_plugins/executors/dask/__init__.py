"""Designs evaluated by workers of a Dask cluster: of this machine, of an address, or of a queue."""
