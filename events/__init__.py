"""Public events: typed facts that other code, in this process or elsewhere, may rely on."""

DISTRIBUTION = "course-credit"
"""Tells this package from others of the same name; see `events.checks`."""
