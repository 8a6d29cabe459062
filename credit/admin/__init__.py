"""Staff pages. Staff edit what is theirs, look at what rules own, and change that only through the api."""

from credit.admin import config, courses, eligibilities, providers, records, requests, statuses

__all__ = ["config", "courses", "eligibilities", "providers", "records", "requests", "statuses"]
