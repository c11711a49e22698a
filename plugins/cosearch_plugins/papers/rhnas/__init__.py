"""The claim of arXiv 2106.09180 (RHNAS), known by its abstract alone, held to exact optima."""
