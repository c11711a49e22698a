"""Head to head: strategies on the same problems, with the same budgets, and what can be said."""
