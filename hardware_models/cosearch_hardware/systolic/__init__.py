"""A systolic array: SCALE-Sim's cycles, with an honest memory in front of it."""
