"""Models against published figures: Timeloop's, DOSA's, a plugin's own."""
