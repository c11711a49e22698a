"""SCALE-Sim's topologies, in and out."""
