"""The built-in processors: filters, and changes that copy just the path they touch."""
