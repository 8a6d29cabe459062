"""Payloads of the `analytics` events. Fields, order and defaults are the wire format: they never change."""

from datetime import datetime

import attrs


@attrs.frozen(slots=False, order=True)
class TrackingLogData:
    """One line of the tracking log.

    Attributes:
        name: what happened, such as `edx.course.enrollment.activated`.
        timestamp: when it happened, aware.
        data: what happened in detail, as JSON text.
        context: where it happened, to whom and in which course, as JSON text.
    """

    name: str
    timestamp: datetime
    data: str
    context: str
