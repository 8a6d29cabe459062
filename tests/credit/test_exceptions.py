"""Named errors: their kind, their text, their stable code (credit contract 4.3, D29)."""

import pytest
from rest_framework.exceptions import APIException

from coursecredit.problems import status_of
from credit import exceptions
from credit.exceptions import (
    CreditApiBadRequest,
    InvalidCourseKey,
    InvalidCreditRequest,
    RequestAlreadyCompleted,
    UserIsNotEligible,
    UserNotEligibleException,
)


@pytest.mark.rule("credit.errors")
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("InvalidCreditRequirements", 400, "invalid_credit_requirements"),
        ("InvalidCreditCourse", 400, "invalid_credit_course"),
        ("UserIsNotEligible", 400, "user_not_eligible"),
        ("CreditProviderNotConfigured", 400, "credit_provider_not_configured"),
        ("RequestAlreadyCompleted", 400, "request_already_completed"),
        ("CreditRequestNotFound", 404, "credit_request_not_found"),
        ("InvalidCreditStatus", 400, "invalid_credit_status"),
        ("StaleCreditDecision", 409, "stale_credit_decision"),
        ("CreditCourseExists", 400, "credit_course_exists"),
        ("CreditCourseNotFound", 404, "credit_course_not_found"),
        ("CourseNotFound", 404, "course_not_found"),
        ("LearnerNotFound", 404, "learner_not_found"),
        ("CreditEligibilityNotFound", 404, "credit_eligibility_not_found"),
        ("CreditEligibilityExists", 400, "credit_eligibility_exists"),
        ("EligibilityMailNotDue", 400, "eligibility_mail_not_due"),
        ("ReasonMissing", 400, "reason_missing"),
    ],
)
def test_each_error_has_a_kind_a_code_and_a_text(name, status, code):
    error = getattr(exceptions, name)()
    assert isinstance(error, CreditApiBadRequest)
    assert (status_of(error), error.code) == (status, code)
    assert str(error).endswith(".")


def test_every_error_of_the_api_is_listed_above():
    named = {value for value in vars(exceptions).values() if isinstance(value, type)}
    assert {error.__name__ for error in named if issubclass(error, CreditApiBadRequest)} == {
        "CreditApiBadRequest",
        *(case[0] for case in test_each_error_has_a_kind_a_code_and_a_text.pytestmark[0].args[1]),
    }


@pytest.mark.rule("credit.errors")
@pytest.mark.parametrize(
    ("error", "detail", "code"),
    [
        pytest.param(
            InvalidCreditRequest(RequestAlreadyCompleted()),
            "The credit provider has already decided on this request.",
            "request_already_completed",
            id="wraps an error",
        ),
        pytest.param(
            InvalidCreditRequest(UserIsNotEligible("No.")), "No.", "user_not_eligible", id="wraps its own text"
        ),
        pytest.param(
            InvalidCreditRequest(), "The credit request is not valid.", "invalid_credit_request", id="nothing said"
        ),
        pytest.param(
            InvalidCreditRequest(ValueError()),
            "The credit request is not valid.",
            "invalid_credit_request",
            id="an error without text",
        ),
        pytest.param(InvalidCreditRequest("No."), "No.", "invalid_credit_request", id="a text"),
        pytest.param(InvalidCreditRequest("No.", "own"), "No.", "own", id="a text with a code"),
        pytest.param(
            UserNotEligibleException("course-v1:a+b+c", "ron"),
            "[ron] is not eligible for credit for [course-v1:a+b+c].",
            "user_not_eligible",
            id="not eligible",
        ),
        pytest.param(
            InvalidCourseKey(None), "[None] is not a valid course key.", "invalid_course_key", id="no course key"
        ),
    ],
)
def test_rest_errors_always_have_a_detail_and_a_code(error, detail, code):
    assert isinstance(error, APIException)
    assert error.status_code == 400
    assert (str(error.detail), error.detail.code) == (detail, code)
