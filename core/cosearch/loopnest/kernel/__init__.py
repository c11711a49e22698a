"""The loop-nest model compiled: cost programs, and the interpreter that runs them in batches."""
