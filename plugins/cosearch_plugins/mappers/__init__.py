"""Mappers that ship with cosearch."""
