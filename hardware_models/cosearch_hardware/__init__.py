"""Hardware models that ship with cosearch, each of the kind that a third party would write."""
