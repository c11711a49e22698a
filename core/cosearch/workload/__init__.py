"""What is computed: einsums, layers and networks, and where they are read from."""
