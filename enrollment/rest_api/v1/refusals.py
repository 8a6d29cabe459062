"""Errors in the words of version 1, some of which its clients look for (enrollment contract 10.4 to 10.6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework import status
from rest_framework.response import Response

from coursecredit.errors import DomainError
from enrollment.errors import (
    CohortNotFoundError,
    CourseEnrollmentError,
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentNotAllowedError,
    InvalidCourseKeyError,
    InvalidEnrollmentAttribute,
    UserNotFoundError,
)
from enrollment.rest_api import base
from enrollment.rest_api.asking import AskingView
from enrollment.rest_api.refusals import LearnerHidden


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error as all endpoints do, but for two: who may not know of a learner is told nothing, and a learner
    who does not exist is 406.
    """
    response = base.exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, LearnerHidden):
        return Response(status=status.HTTP_404_NOT_FOUND)
    if isinstance(exc, UserNotFoundError):
        response.status_code = status.HTTP_406_NOT_ACCEPTABLE
    return response


@contextmanager
def told_of_reading(username: str, course_id: str | None = None) -> Iterator[None]:
    """Name the learner, and the course if there is one, in errors of the data backend."""
    try:
        yield
    except CourseEnrollmentError as exc:
        where = f"user '{username}'" if course_id is None else f"user '{username}' in course '{course_id}'"
        _reword(exc, f"An error occurred while retrieving enrollments for {where}: {_reason(exc)}")
        raise


@contextmanager
def told_of_asking(view: AskingView) -> Iterator[None]:
    """Word the errors of a request for an enrollment as clients expect them."""
    try:
        yield
    except (InvalidCourseKeyError, CourseNotFoundError) as exc:
        _reword(exc, f"No course '{view.asked_course_id}' found for enrollment.")
        raise
    except CourseModeNotFoundError as exc:
        exc.members["course_details"] = exc.data
        raise
    except (InvalidEnrollmentAttribute, EnrollmentNotAllowedError) as exc:
        exc.members["localizedMessage"] = str(exc)
        raise
    except (UserNotFoundError, CohortNotFoundError):
        raise
    except CourseEnrollmentError as exc:
        what = f"user '{view.asked_username}' in course '{view.asked_course_id}'"
        _reword(exc, f"An error occurred while creating the new course enrollment for {what}: {_reason(exc)}")
        raise


def _reason(exc: CourseEnrollmentError) -> str:
    """Return what is wrong in our own words: an error's text may be a hook's, which is not for the client."""
    return exc.default_message()


def _reword(exc: DomainError, text: str) -> None:
    exc.args = (text,)  # class, code and members stay
