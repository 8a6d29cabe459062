"""Learners in programs, and in course runs through programs."""

import uuid
from collections.abc import Collection

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from coursecredit.fields import DerivedBigIntegerField, DerivedCharField, course_key_field
from coursecredit.history import ChangeHistory, RemembersStored
from program_enrollments.constants import ROLE_CHOICES, ProgramCourseEnrollmentStatuses, ProgramEnrollmentStatuses
from program_enrollments.querysets import ProgramCourseEnrollmentQuerySet, ProgramEnrollmentQuerySet
from program_enrollments.student_keys import MAX_LENGTH, folded, is_retired, retired_key


def _folded_key(row: "ProgramEnrollment") -> str | None:
    return None if row.external_user_key is None else folded(row.external_user_key)


class TimedRow(RemembersStored, TimeStampedModel):
    """A row whose `modified` moves with every save, which by itself is no change that history remembers."""

    class Meta:
        abstract = True

    def unsaved_fields(self, among: Collection[str] | None = None) -> list[str]:
        return [name for name in super().unsaved_fields(among) if name != "modified"]


class ProgramEnrollment(TimedRow):
    """A learner in one curriculum of a program: *waiting* while it has no account, *realized* once it has one.

    The institution's key names the learner before there is an account, and after. The program and its curriculum are
    the catalog's, which may be elsewhere. The status is a label: it changes nothing else. Personal data: see
    `ProgramEnrollment.retire_user`.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="program_enrollments",
    )
    external_user_key = models.CharField(  # noqa: DJ001  # null: enrolled without an institution's key
        max_length=MAX_LENGTH,
        null=True,
        blank=True,
        db_index=True,
        help_text=_("The institution's key of the student."),
    )
    external_user_key_folded = DerivedCharField(max_length=MAX_LENGTH, null=True, derive=_folded_key, db_index=True)
    program_uuid = models.UUIDField(db_index=True)
    curriculum_uuid = models.UUIDField(db_index=True)
    status = models.CharField(max_length=9, choices=ProgramEnrollmentStatuses.CHOICES)

    objects = ProgramEnrollmentQuerySet.as_manager()
    historical_records = ChangeHistory(history_id_field=models.UUIDField(default=uuid.uuid4))

    class Meta:
        constraints = [
            # Nulls never equal each other: the first bounds realized rows, the second those with a key.
            UniqueConstraint(
                fields=["user", "program_uuid", "curriculum_uuid"], name="program_enrollments_one_per_account"
            ),
            UniqueConstraint(
                fields=["external_user_key_folded", "program_uuid", "curriculum_uuid"],
                name="program_enrollments_one_per_key",
            ),
            CheckConstraint(
                condition=Q(user__isnull=False) | Q(external_user_key__isnull=False),
                name="program_enrollments_account_or_key",
            ),
        ]
        indexes = [
            # What expires: enrollments that have waited too long.
            Index(fields=["user", "modified"], name="program_enroll_waiting"),
        ]

    def __str__(self) -> str:
        return f"[ProgramEnrollment id={self.pk}]"

    def __repr__(self) -> str:
        return (
            f"<ProgramEnrollment id={self.pk} user={self.user_id} external_user_key={self.external_user_key!r} "
            f"program_uuid={self.program_uuid} curriculum_uuid={self.curriculum_uuid} status={self.status!r}>"
        )

    @property
    def is_realized(self) -> bool:
        """Whether there is an account."""
        return self.user_id is not None

    @classmethod
    def retire_user(cls, user_id: int) -> bool:
        """Replace the student keys of an account that is being removed, in every row and its history.

        The word that takes a key's place is the same for the same key, and tells nothing of it.

        Returns:
            Whether there was a key to replace; not the second time.
        """
        enrollments = cls.objects.filter(user=user_id)
        ids = list(enrollments.order_by("pk").values_list("pk", flat=True))
        past = cls.historical_records.filter(id__in=ids)
        present = {key for rows in (enrollments, past) for key in rows.values_list("external_user_key", flat=True)}
        keys = {key for key in present if key is not None and not is_retired(key)}
        for key in sorted(keys):
            retired = retired_key(key)
            replaced = {"external_user_key": retired, "external_user_key_folded": folded(retired)}
            for rows in (cls.objects.filter(pk__in=ids), past):
                rows.filter(external_user_key=key).update(**replaced)
        return bool(keys)

    def clean(self) -> None:
        """Refuse an enrollment of nobody."""
        if self.user_id is None and not self.external_user_key:
            raise ValidationError(_("Name an account, a student key, or both."))


def _active_course_enrollment(row: "ProgramCourseEnrollment") -> int | None:
    # By the status, not by the property: rows of the history have none.
    return row.course_enrollment_id if row.status == ProgramCourseEnrollmentStatuses.ACTIVE else None


class ProgramCourseEnrollment(TimedRow):
    """A learner in one course run through a program: waiting or realized as their program enrollment is.

    Rows of several programs may point at the same course enrollment, but only one of them at a time is active.
    """

    program_enrollment = models.ForeignKey(
        ProgramEnrollment, on_delete=models.CASCADE, related_name="program_course_enrollments"
    )
    course_enrollment = models.ForeignKey(
        "enrollment.CourseEnrollment",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="program_course_enrollments",
    )
    course_key = course_key_field()
    status = models.CharField(max_length=9, choices=ProgramCourseEnrollmentStatuses.CHOICES)
    # The course enrollment's id while this row is active, so that a plain constraint keeps a second program out.
    active_course_enrollment = DerivedBigIntegerField(null=True, unique=True, derive=_active_course_enrollment)

    objects = ProgramCourseEnrollmentQuerySet.as_manager()
    historical_records = ChangeHistory(history_id_field=models.UUIDField(default=uuid.uuid4))

    class Meta:
        constraints = [
            UniqueConstraint(fields=["program_enrollment", "course_key"], name="program_enrollments_run_once"),
        ]
        indexes = [Index(fields=["course_key", "program_enrollment"], name="program_enroll_of_run")]

    def __str__(self) -> str:
        return f"[ProgramCourseEnrollment id={self.pk}]"

    @property
    def is_active(self) -> bool:
        """Whether the learner takes the run through this program now."""
        return self.status == ProgramCourseEnrollmentStatuses.ACTIVE


class CourseAccessRoleAssignment(TimeStampedModel):
    """The wish that a learner have a role on the run once there is an account; then a role takes its place."""

    enrollment = models.ForeignKey(ProgramCourseEnrollment, on_delete=models.CASCADE, related_name="role_assignments")
    role = models.CharField(max_length=64, choices=ROLE_CHOICES)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["role", "enrollment"], name="program_enrollments_one_role_once"),
        ]

    def __str__(self) -> str:
        return f"[CourseAccessRoleAssignment id={self.pk}]"
