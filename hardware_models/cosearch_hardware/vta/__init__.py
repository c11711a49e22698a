"""VTA, the Versatile Tensor Accelerator: an instruction set with three concurrent queues."""
