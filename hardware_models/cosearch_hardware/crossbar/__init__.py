"""Crossbars of resistive cells: matrices stay where they are, and currents add up the products."""
