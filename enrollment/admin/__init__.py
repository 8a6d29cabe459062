"""Staff pages. Staff edit what is theirs, look at what rules own, and change that only through the api."""

from enrollment.admin import courses, enrollments, invitations, jobs, people, results

__all__ = ["courses", "enrollments", "invitations", "jobs", "people", "results"]
