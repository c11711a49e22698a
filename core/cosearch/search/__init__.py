"""Spaces, and what any search over them needs: strategies, objectives, seeds, fronts."""
