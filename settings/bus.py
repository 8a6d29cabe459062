"""Where the service's own events go: related types share a topic, so that their order is kept."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from events.bus import merge_producer_configs

PROJECT = "org.coursecredit.learning"
OPEN_EDX = "org.openedx.learning"

ENROLLMENTS = "learning-course-enrollment-lifecycle"
CREDIT = "learning-credit-lifecycle"
COURSE_ROLES = "learning-course-access-role-lifecycle"

COURSE_OF = "{}.course.course_key"
EVENTS = {
    ENROLLMENTS: {
        f"{OPEN_EDX}.course.enrollment.created.v1": COURSE_OF.format("enrollment"),
        f"{OPEN_EDX}.course.enrollment.changed.v1": COURSE_OF.format("enrollment"),
        f"{OPEN_EDX}.course.unenrollment.completed.v1": COURSE_OF.format("enrollment"),
    },
    CREDIT: {
        f"{PROJECT}.credit.requirement_status.changed.v1": COURSE_OF.format("requirement_status"),
        f"{PROJECT}.credit.requirement_status.removed.v1": COURSE_OF.format("requirement_status"),
        f"{PROJECT}.credit.eligibility.earned.v1": COURSE_OF.format("eligibility"),
        f"{PROJECT}.credit.request.created.v1": COURSE_OF.format("credit_request"),
        f"{PROJECT}.credit.request.reissued.v1": COURSE_OF.format("credit_request"),
        f"{PROJECT}.credit.request.approved.v1": COURSE_OF.format("credit_request"),
        f"{PROJECT}.credit.request.rejected.v1": COURSE_OF.format("credit_request"),
    },
    COURSE_ROLES: {
        f"{OPEN_EDX}.user.course_access_role.added.v1": "course_access_role_data.course_key",
        f"{OPEN_EDX}.user.course_access_role.removed.v1": "course_access_role_data.course_key",
    },
}

PRODUCER_CONFIG: dict[str, dict[str, dict[str, Any]]] = {
    event_type: {topic: {"event_key_field": key_field, "enabled": True}}
    for topic, events in EVENTS.items()
    for event_type, key_field in events.items()
}


def producer_config(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the service's producer configuration with a site's own changes; the system checks look at the result.

    Raises:
        ImproperlyConfigured: the changes are not objects of objects.
    """
    topics = [entry for entry in overrides.values() if isinstance(entry, dict)]
    if len(topics) < len(overrides) or not all(isinstance(one, dict) for entry in topics for one in entry.values()):
        raise ImproperlyConfigured("EVENT_BUS_PRODUCER_CONFIG must be a JSON object of event types, then of topics.")
    return merge_producer_configs(PRODUCER_CONFIG, overrides)
