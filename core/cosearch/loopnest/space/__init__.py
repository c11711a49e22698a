"""The space of mappings of one layer on one machine: rows, moves, features, sampling."""
