"""What the fused mapper is held to: a walk of the schedule, and brute force on small cases."""
