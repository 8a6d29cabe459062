"""Pieces for other people's services. None is imported unless they ask for it."""
