"""Bits for each layer of a network: what a policy costs, how it is brought within a budget."""
