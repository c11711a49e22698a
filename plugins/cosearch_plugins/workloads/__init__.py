"""Workloads that ship with cosearch."""
