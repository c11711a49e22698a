"""Other people's optimizers on cosearch's designs; each module needs the extra of its name."""
