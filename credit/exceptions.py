"""Named errors. The first base is the kind that gives the HTTP status; the docstring is the default message."""

from typing import Any

from rest_framework import status
from rest_framework.exceptions import APIException

from coursecredit.errors import Conflict, Invalid, NotFound


class CreditApiBadRequest(Exception):
    """Base of the errors of the Python API."""


class InvalidCreditRequirements(Invalid, CreditApiBadRequest):
    """The requirements are badly formed."""

    code = "invalid_credit_requirements"


class InvalidCreditCourse(Invalid, CreditApiBadRequest):
    """The course is not a credit course."""

    code = "invalid_credit_course"


class UserIsNotEligible(Invalid, CreditApiBadRequest):
    """The learner is not eligible for credit in this course."""

    code = "user_not_eligible"


class CreditProviderNotConfigured(Invalid, CreditApiBadRequest):
    """The credit provider is not set up to receive requests."""

    code = "credit_provider_not_configured"


class RequestAlreadyCompleted(Invalid, CreditApiBadRequest):
    """The credit provider has already decided on this request."""

    code = "request_already_completed"


class CreditRequestNotFound(NotFound, CreditApiBadRequest):
    """The credit provider has no such request."""

    code = "credit_request_not_found"


class InvalidCreditStatus(Invalid, CreditApiBadRequest):
    """The status is neither "approved" nor "rejected"."""

    code = "invalid_credit_status"


class StaleCreditDecision(Conflict, CreditApiBadRequest):
    """A different decision, made at the same time or later, has been recorded already."""

    code = "stale_credit_decision"


class CreditCourseExists(Invalid, CreditApiBadRequest):
    """There is a credit course with this key already."""

    code = "credit_course_exists"


class CreditCourseNotFound(NotFound, CreditApiBadRequest):
    """There is no credit course with this key."""

    code = "credit_course_not_found"


class CourseNotFound(NotFound, CreditApiBadRequest):
    """There is no course with this key."""

    code = "course_not_found"


class LearnerNotFound(NotFound, CreditApiBadRequest):
    """There is no account with this username."""

    code = "learner_not_found"


class CreditEligibilityNotFound(NotFound, CreditApiBadRequest):
    """The learner has no eligibility in this course."""

    code = "credit_eligibility_not_found"


class CreditEligibilityExists(Invalid, CreditApiBadRequest):
    """The learner has an eligibility in this course already."""

    code = "credit_eligibility_exists"


class EligibilityMailNotDue(Invalid, CreditApiBadRequest):
    """Staff added this eligibility instead of the learner earning it, so no mail is sent about it."""

    code = "eligibility_mail_not_due"


class ReasonMissing(Invalid, CreditApiBadRequest):
    """What staff do by hand needs a reason."""

    code = "reason_missing"


class AuditIsAppendOnly(TypeError):
    """Audit rows are neither changed nor deleted."""

    def __init__(self) -> None:
        super().__init__("Audit rows are neither changed nor deleted; retirement alone replaces a username.")


class InvalidCreditRequest(APIException):
    """REST: the request cannot be served as it is. Made from a named error, it takes that error's text and code."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "The credit request is not valid."
    default_code = "invalid_credit_request"

    def __init__(self, detail: Any = None, code: str | None = None) -> None:
        if isinstance(detail, Exception):
            code = code or getattr(detail, "code", None)
            detail = str(detail)
        super().__init__(detail or None, code)


class UserNotEligibleException(InvalidCreditRequest):
    """REST: the learner has no valid eligibility in the course."""

    default_code = "user_not_eligible"

    def __init__(self, course_key: object, username: object) -> None:
        super().__init__(f"[{username}] is not eligible for credit for [{course_key}].")


class InvalidCourseKey(InvalidCreditRequest):
    """REST: the given value is no course key."""

    default_code = "invalid_course_key"

    def __init__(self, course_key: object) -> None:
        super().__init__(f"[{course_key}] is not a valid course key.")
