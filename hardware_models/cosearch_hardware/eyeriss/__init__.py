"""Eyeriss: row-stationary processing elements around a global buffer."""
