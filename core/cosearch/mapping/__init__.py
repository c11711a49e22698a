"""Mapping layers without knowing the machine: search, memory, and the best of a whole network."""
