"""This project's own events about enrollment in programs."""
