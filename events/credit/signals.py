"""One constant per credit event. `time` is the row's `modified`; for an earned eligibility its `created`."""

from events.credit.data import (
    CreditEligibilityData,
    CreditRequestData,
    CreditRequirementStatusData,
)
from events.tooling import PROJECT, OpenEdxPublicSignal
from events.types import About

TOPIC = "learning-credit-lifecycle"

CREDIT_REQUIREMENT_STATUS_CHANGED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.requirement_status.changed.v1",
    data={"requirement_status": CreditRequirementStatusData},
    about=About(
        "A learner's status for a requirement was created or changed.",
        sender="credit",
        topic=TOPIC,
        key="requirement_status.course.course_key",
    ),
)

CREDIT_REQUIREMENT_STATUS_REMOVED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.requirement_status.removed.v1",
    data={"requirement_status": CreditRequirementStatusData},
    about=About(
        "A learner's status for a requirement was deleted.",
        sender="credit",
        topic=TOPIC,
        key="requirement_status.course.course_key",
    ),
)

CREDIT_ELIGIBILITY_EARNED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.eligibility.earned.v1",
    data={"eligibility": CreditEligibilityData},
    about=About(
        "A learner met the last requirement of a course, and may ask for credit.",
        sender="credit",
        topic=TOPIC,
        key="eligibility.course.course_key",
    ),
)

CREDIT_REQUEST_CREATED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.created.v1",
    data={"credit_request": CreditRequestData},
    about=About(
        "A credit request was issued for the first time.",
        sender="credit",
        topic=TOPIC,
        key="credit_request.course.course_key",
    ),
)

CREDIT_REQUEST_REISSUED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.reissued.v1",
    data={"credit_request": CreditRequestData},
    about=About(
        "A pending credit request was issued again.",
        sender="credit",
        topic=TOPIC,
        key="credit_request.course.course_key",
    ),
)

CREDIT_REQUEST_APPROVED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.approved.v1",
    data={"credit_request": CreditRequestData},
    about=About(
        "A provider approved a credit request, perhaps after having rejected it.",
        sender="credit",
        topic=TOPIC,
        key="credit_request.course.course_key",
    ),
)

CREDIT_REQUEST_REJECTED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.rejected.v1",
    data={"credit_request": CreditRequestData},
    about=About(
        "A provider rejected a credit request, perhaps after having approved it.",
        sender="credit",
        topic=TOPIC,
        key="credit_request.course.course_key",
    ),
)
