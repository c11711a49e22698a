"""The contract of plugins that write a study or a comparison into a file."""
