"""Schemes of co-design: how hardware and mappings are searched together.

`nested` (hardware outside, the best mapping of each layer inside) is the engine's own. The others
are drivers of a page each, which put another mapper or another strategy into the same loop, so that
storing, resuming and reporting are the same for all.
"""
