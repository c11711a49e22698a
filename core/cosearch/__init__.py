"""cosearch finds neural accelerators and the way to run networks on them, together."""
