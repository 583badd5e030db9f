"""Bring in what the analysis works on: files, folders, archives, standard input."""
