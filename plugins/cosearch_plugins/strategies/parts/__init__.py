"""Models and populations that several strategies share."""
