"""The backends that need nothing: memory and null. All others are plugins."""
