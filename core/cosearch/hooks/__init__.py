"""What plugins register, and how they are found, listed, called and traced."""
