"""The front door for scripts: what `import cosearch` offers, function by function."""
