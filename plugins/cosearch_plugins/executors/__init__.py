"""Executors: where trials are evaluated that ship with cosearch."""
