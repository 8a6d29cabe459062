"""What the staff pages are made of: search in learners' rows, and the audit of each."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from coursecredit.admin import ReadOnlyAdmin
from coursecredit.admin.pages import ManyRows, begins, mentions
from credit.choices import AuditKind, AuditSource
from credit.models import CourseExam, CreditAudit, CreditCourse, CreditProvider

MOST_COURSES = 100
LONGEST_TRAIL = 100


def courses_like(text: str) -> QuerySet[Any] | list[int]:
    """Return the primary keys of the courses that a text may mean: a short list, which an index serves, or all."""
    return _few_or_all(CreditCourse.objects.filter(mentions("course_key", text)))


def exams_like(text: str) -> QuerySet[Any] | list[int]:
    """Return the primary keys of the exams of courses that a text may mean, in the same way."""
    return _few_or_all(CourseExam.objects.filter(mentions("course_key", text)))


def _few_or_all(found: QuerySet[Any]) -> QuerySet[Any] | list[int]:
    keys = found.values_list("pk", flat=True)
    few = list(keys[: MOST_COURSES + 1])
    return few if len(few) <= MOST_COURSES else keys


def providers_like(text: str) -> list[int]:
    """Return the primary keys of the providers whose id contains the text."""
    found = CreditProvider.objects.filter(mentions("provider_id", text)).values_list("pk", flat=True)
    return list(found[:MOST_COURSES])


class LearnerRows(ManyRows):
    """A page about rows of learners."""

    search_help_text = _("Beginning of a username, in its case, or part of a course key.")

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        courses = courses_like(term)
        condition = begins(rows, "username", term)
        return condition if courses == [] else condition | self.in_courses(courses)

    def in_courses(self, courses: QuerySet[Any] | list[int]) -> Q:
        """Return the condition that a row belongs to one of the courses."""
        return Q(course__in=courses)


class RuledRows(LearnerRows, ReadOnlyAdmin):
    """Rows of learners that rules own: staff look."""


def audit_trail(*, username: str, subject: str) -> SafeString:
    """Return a table of who changed what a row is about, newest first. Two statements."""
    trail = list(CreditAudit.objects.filter(username=username, subject=subject).order_by("-pk")[:LONGEST_TRAIL])
    users = get_user_model()._default_manager.filter(pk__in={row.actor for row in trail if _is_user(row)})
    names = {str(user.pk): user.get_username() for user in users}
    entries = [
        {
            "row": row,
            "change": [_status(row, row.old_status), _status(row, row.new_status)],
            "actor": names.get(row.actor, row.actor) if _is_user(row) else row.actor,
        }
        for row in trail
    ]
    return render_to_string("admin/credit/audit_trail.html", {"entries": entries})


def _status(row: CreditAudit, status: str) -> str:
    is_deadline = row.kind == AuditKind.ELIGIBILITY
    return status[:16].replace("T", " ") if is_deadline else status


def _is_user(row: CreditAudit) -> bool:
    return row.source != AuditSource.PROVIDER and row.actor.isascii() and row.actor.isdigit() and len(row.actor) < 19


def who(request: HttpRequest) -> dict[str, str]:
    """Return what the audit is told about a member of staff."""
    return {"source": AuditSource.STAFF.value, "actor": str(request.user.pk)}
