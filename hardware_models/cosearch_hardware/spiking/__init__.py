"""Spiking networks on an FPGA: leaky integrate-and-fire neurons that a clock drives."""
