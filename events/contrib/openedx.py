"""Makes this project's own events known to an Open edX service, which runs the package `openedx-events`.

Add `"events.contrib.openedx"` to the `INSTALLED_APPS` of that service; `"events"` itself need not be there, nor any
other app of this project. Then its event bus consumer understands these types, and receivers connect as ever:

```
from events.contrib.openedx import CREDIT_ELIGIBILITY_EARNED

@receiver(CREDIT_ELIGIBILITY_EARNED)
def congratulate(eligibility, **kwargs): ...
```

The payload classes are ours field by field, on top of the service's own `CourseData` and `UserNonPersonalData`. Without
this module a service logs each of our entries as unknown and goes on.
"""

from typing import Any

import attrs
from openedx_events.learning.data import CourseData, UserNonPersonalData
from openedx_events.tooling import OpenEdxPublicSignal

from events.credit import data as credit
from events.learning import data as learning
from events.program_enrollments import data as program_enrollments

# The signals of this project need its outbox and so its tables, which such a service does not have.
PROJECT = "org.coursecredit"

_known: dict[Any, Any] = {learning.CourseData: CourseData, learning.UserNonPersonalData: UserNonPersonalData}


def _same(cls: type) -> Any:
    """Return a class like one of ours, made of classes that the service knows."""
    fields = {
        field.name: attrs.field(default=field.default, type=_known.get(field.type, field.type))
        for field in attrs.fields(attrs.resolve_types(cls))
    }
    made: Any = attrs.make_class(cls.__name__, fields, frozen=True, slots=False, order=True)
    made.__module__, made.__doc__ = __name__, cls.__doc__
    _known[cls] = made
    return made


def _signal(suffix: str, **data: Any) -> Any:
    return OpenEdxPublicSignal(event_type=f"{PROJECT}.learning.{suffix}", data=data)


CreditRequirementData = _same(credit.CreditRequirementData)
CreditRequirementStatusData = _same(credit.CreditRequirementStatusData)
CreditEligibilityData = _same(credit.CreditEligibilityData)
CreditRequestData = _same(credit.CreditRequestData)
ProgramEnrollmentData = _same(program_enrollments.ProgramEnrollmentData)
ProgramCourseEnrollmentData = _same(program_enrollments.ProgramCourseEnrollmentData)

CREDIT_REQUIREMENT_STATUS_CHANGED = _signal(
    "credit.requirement_status.changed.v1", requirement_status=CreditRequirementStatusData
)
CREDIT_REQUIREMENT_STATUS_REMOVED = _signal(
    "credit.requirement_status.removed.v1", requirement_status=CreditRequirementStatusData
)
CREDIT_ELIGIBILITY_EARNED = _signal("credit.eligibility.earned.v1", eligibility=CreditEligibilityData)
CREDIT_REQUEST_CREATED = _signal("credit.request.created.v1", credit_request=CreditRequestData)
CREDIT_REQUEST_REISSUED = _signal("credit.request.reissued.v1", credit_request=CreditRequestData)
CREDIT_REQUEST_APPROVED = _signal("credit.request.approved.v1", credit_request=CreditRequestData)
CREDIT_REQUEST_REJECTED = _signal("credit.request.rejected.v1", credit_request=CreditRequestData)
PROGRAM_ENROLLMENT_CREATED = _signal("program.enrollment.created.v1", program_enrollment=ProgramEnrollmentData)
PROGRAM_ENROLLMENT_CHANGED = _signal("program.enrollment.changed.v1", program_enrollment=ProgramEnrollmentData)
PROGRAM_ENROLLMENT_LINKED = _signal("program.enrollment.linked.v1", program_enrollment=ProgramEnrollmentData)
PROGRAM_ENROLLMENT_UNLINKED = _signal("program.enrollment.unlinked.v1", program_enrollment=ProgramEnrollmentData)
PROGRAM_COURSE_ENROLLMENT_CREATED = _signal(
    "program.course_enrollment.created.v1", program_course_enrollment=ProgramCourseEnrollmentData
)
PROGRAM_COURSE_ENROLLMENT_CHANGED = _signal(
    "program.course_enrollment.changed.v1", program_course_enrollment=ProgramCourseEnrollmentData
)
