"""Gemmini: a systolic array with a scratchpad and an accumulator."""
