"""Machines: architecture, prices of a technology, costs, and the contract of hardware models."""
