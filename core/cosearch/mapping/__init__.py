"""Mapping layers without knowing the machine: search, rejections, the best of a whole network."""
