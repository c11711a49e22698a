"""The exact mapper: the best mapping of a layer, with a proof, or the best found with its gap."""
