"""Loop nests: mappings, what they cost, the space of all of them, and the best one."""
