"""Readers of workload files that ship with cosearch."""
