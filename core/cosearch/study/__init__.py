"""Studies: what is asked, the loop that answers, every trial, and the report at the end."""
