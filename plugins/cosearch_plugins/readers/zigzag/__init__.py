"""ZigZag's workloads, in and out."""
