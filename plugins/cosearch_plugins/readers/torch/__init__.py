"""Networks from files that `torch.export` saved."""
