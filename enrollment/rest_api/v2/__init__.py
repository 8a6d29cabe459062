"""Version 2: the same things as resources."""
