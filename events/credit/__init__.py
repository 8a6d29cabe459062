"""This project's own events about credit."""
