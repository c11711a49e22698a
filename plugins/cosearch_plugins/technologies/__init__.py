"""Technologies: tables and formulas that price components that ship with cosearch."""
