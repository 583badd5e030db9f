"""Keep runs in a folder, each complete or absent, for whoever comes back to them."""
