"""Conformance kits: for each kind of plugin, checks that raise ConformanceError with the input."""
