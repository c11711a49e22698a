"""What numba compiles: how, from what, and where the machine code is kept."""
