"""How learners did in courses, as other services tell it. The newest report counts, whatever the order of arrival."""

import logging
import math
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from enrollment.choices import PASSING_CERTIFICATE_STATUSES
from enrollment.keys import course_id_of
from enrollment.models import CourseCertificate, CourseGrade

log = logging.getLogger(__name__)


@retried_atomic
def record_course_grade(
    user_id: int,
    course_id: str | CourseKey,
    *,
    reported_at: datetime,
    percent_grade: float,
    letter_grade: str = "",
    passed_timestamp: datetime | None = None,
    course_version: str = "",
    grading_policy_hash: str = "",
) -> bool:
    """Store a learner's grade unless a newer report is stored; return whether it was.

    Accounts that do not exist, and grades that are no fraction from 0 to 1, are logged and ignored.

    Args:
        user_id: the primary key of the account.
        course_id: the course.
        reported_at: when the grade was so; of two reports of one moment the later to arrive counts.
        percent_grade: a fraction from 0 to 1.
        letter_grade: the grade's name.
        passed_timestamp: when the learner passed, if ever.
        course_version: version of the content that was graded.
        grading_policy_hash: fingerprint of the grading policy.

    Raises:
        InvalidCourseKeyError
    """
    course_id = course_id_of(course_id)
    if not math.isfinite(percent_grade) or not 0 <= percent_grade <= 1:
        log.error("User %s has a grade in %s that is no fraction from 0 to 1; it is ignored.", user_id, course_id)
        return False
    if not _has_account(user_id, course_id):
        return False
    report = {
        "reported_at": reported_at,
        "percent_grade": percent_grade,
        "letter_grade": letter_grade,
        "passed_timestamp": passed_timestamp,
        "course_version": course_version,
        "grading_policy_hash": grading_policy_hash,
    }
    row, created = CourseGrade.objects.select_for_update().get_or_create(
        user_id=user_id, course_id=course_id, defaults=report
    )
    return created or _replace(row, report)


@retried_atomic
def record_course_certificate(
    user_id: int,
    course_id: str | CourseKey,
    *,
    reported_at: datetime,
    status: str,
    mode: str = "",
    grade: str = "",
    download_url: str = "",
) -> bool:
    """Store a learner's certificate unless a newer report is stored; return whether it was.

    Either way the earliest moment at which it was passing is kept. Accounts that do not exist are logged and ignored.

    Args:
        user_id: the primary key of the account.
        course_id: the course.
        reported_at: when the certificate was so; of two reports of one moment the later to arrive counts.
        status: one of `CertificateStatus`, or another word.
        mode: the mode for which it was made.
        grade: the grade on it, as text.
        download_url: absolute, or a path on the host.

    Raises:
        InvalidCourseKeyError
    """
    course_id = course_id_of(course_id)
    if not _has_account(user_id, course_id):
        return False
    passing_since = reported_at if status in PASSING_CERTIFICATE_STATUSES else None
    report = {
        "reported_at": reported_at,
        "status": status,
        "mode": mode,
        "grade": grade,
        "download_url": download_url,
    }
    row, created = CourseCertificate.objects.select_for_update().get_or_create(
        user_id=user_id, course_id=course_id, defaults={**report, "awarded_at": passing_since}
    )
    if created:
        return True
    if passing_since is not None and (row.awarded_at is None or passing_since < row.awarded_at):
        row.awarded_at = passing_since
        row.save(update_fields=["awarded_at"])
    return _replace(row, report)


def _has_account(user_id: int, course_id: str) -> bool:
    found = get_user_model()._default_manager.filter(pk=user_id).exists()
    if not found:
        log.warning("User %s, about whom course %s has something to tell, has no account.", user_id, course_id)
    return found


def _replace(row: CourseGrade | CourseCertificate, report: dict[str, Any]) -> bool:
    """Let a report replace the stored one, unless that is newer; one that says the same writes nothing."""
    if row.reported_at is not None and row.reported_at > report["reported_at"]:
        log.info("%s %s is newer than what has just been told.", type(row).__name__, row.pk)
        return False
    changed = [field for field, value in report.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, report[field])
    if changed:
        row.save(update_fields=changed)
    return True
