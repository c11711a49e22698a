"""An Arm CPU that runs each layer by one of several implementations, in one of several layouts."""
