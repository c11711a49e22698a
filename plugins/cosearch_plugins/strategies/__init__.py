"""Search strategies that ship with cosearch."""
