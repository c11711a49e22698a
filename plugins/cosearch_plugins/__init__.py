"""Strategies, mappers, workloads, technologies and executors that ship with cosearch."""
