"""Reading verbs of the tables, in words that a registrar would understand."""

import string
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Self, TypeVar

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat, Lower
from django.utils import timezone

from enrollment import ports
from enrollment.choices import COURSE_STAFF_ROLES, COURSE_TEAM_ROLES, JobStatus, ModeSlug
from enrollment.mode_rules import mode_if_none_named, offered
from enrollment.types import Account, Mode

RETIRED_EMAIL = "retired@example.invalid"
MODE_COLUMNS = [{"slug": "mode_slug", "name": "mode_display_name"}.get(field, field) for field in Mode._fields]
"""Where the table of offers has what a `Mode` is made of, in its order."""
ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


Rows = TypeVar("Rows", bound=models.QuerySet[Any])


def with_address(rows: Rows, field: str, email: str) -> Rows:
    """Return the rows with this e-mail address, without regard to case; none for an empty one.

    `iexact` would do on other databases, but follows the collation on MariaDB. The database lowers both sides: SQLite
    knows the case of ASCII letters only, so Python's answer may differ.
    """
    if not email:
        return rows.none()
    return rows.alias(lowered_address=Lower(field)).filter(lowered_address=Lower(Value(email)))


def with_any_address(rows: Rows, field: str, emails: Iterable[str]) -> Rows:
    """Return the rows with any of these e-mail addresses, without regard to case, each with its `lowered_address`."""
    lowered = {spelling for email in emails for spelling in any_lowered(email)}
    return rows.annotate(lowered_address=Lower(field)).filter(lowered_address__in=lowered)


def any_lowered(email: str) -> set[str]:
    """Return what a database may make of an address when it lowers it: with all letters, or with ASCII's alone."""
    return {email.lower(), email.translate(ASCII_LOWER)}


class CourseQuerySet(models.QuerySet[Any]):
    """Courses."""

    def with_modes(self, course_ids: Collection[str]) -> dict[str, tuple[Any, list[Mode]]]:
        """Return the courses that exist, each with all its modes in the order in which they were set up.

        One statement for any number: a course comes once per mode, but is made once.
        """
        columns = [field.attname for field in self.model._meta.concrete_fields]
        offers = self.filter(pk__in=course_ids).annotate(offer=FilteredRelation("modes")).order_by("pk", "offer__pk")
        offer_columns = [f"offer__{column}" for column in ("pk", *MODE_COLUMNS)]
        found: dict[str, tuple[Any, list[Mode]]] = {}
        for row in offers.values_list("pk", *columns, *offer_columns):
            course_id, of_course, (offer_id, *of_mode) = row[0], row[1 : len(columns) + 1], row[len(columns) + 1 :]
            if course_id not in found:
                found[course_id] = (self.model.from_db(offers.db, columns, of_course), [])
            if offer_id is not None:
                found[course_id][1].append(Mode(*of_mode))
        return found


class CourseModeQuerySet(models.QuerySet[Any]):
    """Offers of courses."""

    def by_course(self, course_ids: Collection[str]) -> dict[str, list[Mode]]:
        """Return all modes of these courses, in the order in which they were set up; [] for one without modes."""
        modes: dict[str, list[Mode]] = {course_id: [] for course_id in course_ids}
        rows = self.filter(course_id__in=modes).order_by("pk")
        for course_id, *of_mode in rows.values_list("course_id", *MODE_COLUMNS):
            modes[course_id].append(Mode(*of_mode))
        return modes

    def chosen_for(self, course_id: str) -> str:
        """Return the mode for a learner who names none."""
        modes = offered(
            self.by_course([course_id])[course_id], timezone.now(), include_expired=False, only_selectable=True
        )
        return mode_if_none_named({mode.slug for mode in modes})


class CourseEnrollmentQuerySet(models.QuerySet[Any]):
    """Enrollments."""

    def of(self, user_id: int, course_id: str) -> Self:
        return self.filter(user_id=user_id, course_id=course_id)

    def of_username(self, username: str, course_id: str) -> Self:
        """Return the row without joining the account, so that locking it locks nothing else."""
        users = get_user_model()._default_manager.filter(username=username)
        return self.filter(user__in=users, course_id=course_id)

    def in_course(self, course_id: str) -> Self:
        return self.filter(course_id=course_id)

    def active(self) -> Self:
        return self.filter(is_active=True)

    def oldest_first(self) -> Self:
        return self.order_by("created", "pk")

    def num_enrolled_in_exclude_admins(self, course_id: str) -> int:
        """Return how many seats are taken: the course team takes none."""
        team = ports.roles().course_team_user_ids(course_id)
        return self.in_course(course_id).active().exclude(user_id__in=team).count()

    def is_course_full(self, course: ports.CourseLike) -> bool:
        """Return whether every seat of a course with a cap is taken."""
        cap = course.max_student_enrollments_allowed
        return cap is not None and self.num_enrolled_in_exclude_admins(course.id) >= cap

    def enrollment_counts(self, course_id: str) -> dict[str, int]:
        """Return the number of active enrollments by mode, and their `total`."""
        rows = self.in_course(course_id).active().order_by().values_list("mode").annotate(Count("pk"))
        counts: dict[str, int] = dict(rows)
        return {**counts, "total": sum(counts.values())}

    def users_enrolled_in(
        self, course_id: str, include_inactive: bool = False, verified_only: bool = False
    ) -> models.QuerySet[Any]:
        """Return users, to be paged by the caller."""
        rows = self.in_course(course_id) if include_inactive else self.in_course(course_id).active()
        if verified_only:
            rows = rows.filter(mode=ModeSlug.VERIFIED)
        return get_user_model()._default_manager.filter(pk__in=rows.order_by().values("user_id"))


class CourseEnrollmentAllowedQuerySet(models.QuerySet[Any]):
    """Invitations."""

    def to_address(self, email: str) -> Self:
        """Return the invitations of an e-mail address, without regard to case; none of an empty one."""
        return self.filter(email_lower=email.lower()) if email else self.none()

    def for_user(self, user: Account) -> Self:
        """Return the invitations of the user's address that nobody else has used."""
        return self.to_address(user.email).filter(Q(user=None) | Q(user=user))

    def may_enroll_and_unenrolled(self, course_id: str) -> Self:
        """Return the invitations to a course that nobody has used."""
        return self.filter(course_id=course_id, user=None)

    def link(self, user: Account, course_id: str) -> int:
        """Say that the user has used the invitation to the course, if there is one and nobody has; return how many."""
        if not ports.profiles().email_confirmed(user):
            return 0
        return self.to_address(user.email).filter(course_id=course_id, user=None).update(user=user)

    def retire(self, email: str) -> bool:
        """Delete the invitations of an address, overwritten first; return whether there were any."""
        return bool(self._forget(self.to_address(email)))

    def retire_learner(self, user: Account) -> int:
        """Do so with all that were sent to a user, to former addresses too; return how many there were."""
        return self._forget(self.to_address(user.email) | self.filter(user=user))

    def _forget(self, rows: models.QuerySet[Any]) -> int:
        pks = list(rows.values_list("pk", flat=True))
        own_address = Concat(Value("retired."), Cast("pk", models.CharField(max_length=20)))
        self.filter(pk__in=pks).update(email=RETIRED_EMAIL, email_lower=own_address)
        return self.filter(pk__in=pks).delete()[0]


class ManualEnrollmentAuditQuerySet(models.QuerySet[Any]):
    """Records of what staff did by hand."""

    def to_address(self, email: str) -> Self:
        """Return the records about an address, without regard to case."""
        return with_address(self, "enrolled_email", email)

    def latest_for_email(self, email: str) -> Any | None:
        """Return the newest record about an address, without regard to case, or None."""
        return self.to_address(email).order_by("-time_stamp", "-pk").first()

    def latest_for_enrollment(self, enrollment: Any) -> Any | None:
        """Return the newest record about an enrollment, or None."""
        return self.filter(enrollment=enrollment).order_by("-time_stamp", "-pk").first()

    def retire(self, email: str, *, retired_email: str) -> bool:
        """Blank the reasons and replace the address, in history as well; return whether anything matched."""
        return bool(self._forget(set(self.to_address(email).values_list("pk", flat=True)), email, retired_email))

    def retire_learner(self, user: Account) -> int:
        """Do so with all records about a user, under former addresses too; return how many there were."""
        about = set(self.to_address(user.email).values_list("pk", flat=True))
        enrolled = self.filter(enrollment__user=user).exclude(enrolled_email=RETIRED_EMAIL, reason="")
        return self._forget(about | set(enrolled.values_list("pk", flat=True)), user.email, RETIRED_EMAIL)

    def _forget(self, pks: Collection[int], email: str, retired_email: str) -> int:
        history = self.model.history
        for past in (history.filter(id__in=pks), with_address(history.all(), "enrolled_email", email)):
            past.update(reason="", enrolled_email=retired_email)
        return self.filter(pk__in=pks).update(reason="", enrolled_email=retired_email)


class CourseAccessRoleQuerySet(models.QuerySet[Any]):
    """Roles."""

    def on_course(self, course_id: str) -> Self:
        """Return roles on this very course; roles on its whole organisation do not count."""
        return self.filter(course_id=course_id)

    def staff(self) -> Self:
        return self.filter(role__in=COURSE_STAFF_ROLES)

    def team(self) -> Self:
        return self.filter(role__in=COURSE_TEAM_ROLES)


class BulkJobQuerySet(models.QuerySet[Any]):
    """Jobs on large files."""

    def unfinished(self) -> Self:
        """Those that wait or run."""
        return self.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])

    def over(self) -> Self:
        """Those with which nothing happens any more."""
        return self.exclude(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])

    def free(self, now: datetime) -> Self:
        """Unfinished ones that no worker has a lease on."""
        return self.unfinished().filter(Q(lease_until=None) | Q(lease_until__lte=now))

    def may_run(self) -> Self:
        """Those that run already, and those that wait for no other job of their serial key: the first one is next."""
        same_key = self.model._default_manager.filter(serial_key=OuterRef("serial_key")).exclude(serial_key="")
        is_before = Q(created__lt=OuterRef("created")) | Q(created=OuterRef("created"), pk__lt=OuterRef("pk"))
        ahead = same_key.filter(Q(status=JobStatus.RUNNING) | Q(is_before, status=JobStatus.QUEUED))
        return self.filter(Q(status=JobStatus.RUNNING) | ~Exists(ahead))

    def least_recent_first(self) -> Self:
        """Those first that nobody has worked on for longest, so that each gets its turn."""
        return self.order_by("modified", "pk")

    def newest_first(self) -> Self:
        return self.order_by("-created", "-pk")

    def with_files_of(self, before: datetime) -> Self:
        """Those started before a moment whose files are still there."""
        return self.filter(created__lt=before, purged_at=None)
