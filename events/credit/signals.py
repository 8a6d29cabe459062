"""One constant per credit event. `time` is the row's `modified`; for an earned eligibility its `created`."""

from events.credit.data import CreditEligibilityData, CreditRequestData, CreditRequirementStatusData
from events.tooling import PROJECT, OpenEdxPublicSignal

# A learner's status for a requirement was created or changed.
CREDIT_REQUIREMENT_STATUS_CHANGED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.requirement_status.changed.v1",
    data={"requirement_status": CreditRequirementStatusData},
)

# A learner's status for a requirement was deleted.
CREDIT_REQUIREMENT_STATUS_REMOVED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.requirement_status.removed.v1",
    data={"requirement_status": CreditRequirementStatusData},
)

# A learner met the last requirement of a course.
CREDIT_ELIGIBILITY_EARNED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.eligibility.earned.v1",
    data={"eligibility": CreditEligibilityData},
)

# A credit request was issued for the first time.
CREDIT_REQUEST_CREATED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.created.v1",
    data={"credit_request": CreditRequestData},
)

# A pending credit request was issued again.
CREDIT_REQUEST_REISSUED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.reissued.v1",
    data={"credit_request": CreditRequestData},
)

# A provider approved a credit request, perhaps after having rejected it.
CREDIT_REQUEST_APPROVED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.approved.v1",
    data={"credit_request": CreditRequestData},
)

# A provider rejected a credit request, perhaps after having approved it.
CREDIT_REQUEST_REJECTED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.credit.request.rejected.v1",
    data={"credit_request": CreditRequestData},
)
