"""Learned Hardware/Software Co-Design of Neural Accelerators (arXiv 2010.02075)."""
