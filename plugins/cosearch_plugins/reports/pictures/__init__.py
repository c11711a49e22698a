"""Pictures of studies without a browser, drawn by matplotlib, an extra."""
