"""AccelForge's workloads, in and out."""
