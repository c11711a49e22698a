"""The proven fused mapper: which layers run together, piece by piece, and how."""
