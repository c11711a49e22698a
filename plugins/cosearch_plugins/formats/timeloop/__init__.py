"""Timeloop's files: problems, architectures, mappings and tables of energy and area."""
