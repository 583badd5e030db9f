"""Write an analysis: each writer turns it into one format, and opens no file."""
