"""The loop-nest model as it is defined, readable, without numba; what the kernel is held to."""
