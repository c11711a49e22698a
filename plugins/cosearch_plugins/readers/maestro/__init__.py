"""MAESTRO's networks, in and out."""
