"""One constant per `analytics` event, named like its type."""

from events.analytics.data import (
    TrackingLogData,
)
from events.tooling import OpenEdxPublicSignal
from events.types import About

TRACKING_EVENT_EMITTED = OpenEdxPublicSignal(
    event_type="org.openedx.analytics.tracking.event.emitted.v1",
    data={"tracking_log": TrackingLogData},
    about=About(
        "A line was written to the tracking log.",
        sender="the learning platform",
        key="tracking_log.name",
    ),
)
