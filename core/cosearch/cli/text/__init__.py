"""What commands print: tables and paragraphs for the terminal."""
