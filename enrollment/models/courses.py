"""Courses and the modes in which they can be taken."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from coursecredit.fields import ExplicitDateTimeField
from coursecredit.history import ChangeHistory, RemembersStored
from enrollment.choices import PROFESSIONAL_MODES
from enrollment.conf import conf
from enrollment.keys import parse_course_key
from enrollment.querysets import CourseModeQuerySet, CourseQuerySet


class Course(TimeStampedModel):
    """A course run, as far as enrolling needs it: a stand-in for the course catalogue of the host.

    Enrollments and modes name a course without a database constraint: they may outlive it.
    """

    id = models.CharField(primary_key=True, max_length=255, help_text=_("Course key, such as course-v1:ORG+NUM+RUN."))
    org = models.CharField(max_length=255, db_index=True, blank=True, help_text=_("Taken from the key if empty."))
    display_name = models.TextField(null=True, blank=True)  # noqa: DJ001  # unknown and empty are stored apart
    start = models.DateTimeField(null=True, blank=True)
    end = models.DateTimeField(null=True, blank=True, db_index=True)
    enrollment_start = models.DateTimeField(null=True, blank=True)
    enrollment_end = models.DateTimeField(null=True, blank=True)
    invitation_only = models.BooleanField(default=False)
    max_student_enrollments_allowed = models.IntegerField(
        null=True, blank=True, help_text=_("Seats, course team not counted. Empty: no limit; 0: nobody.")
    )
    self_paced = models.BooleanField(default=False)
    enable_proctored_exams = models.BooleanField(default=False)
    proctoring_provider = models.TextField(null=True, blank=True)  # noqa: DJ001  # as display_name
    minimum_grade_credit = models.FloatField(
        null=True, blank=True, help_text=_("Grade that earns credit, as a fraction from 0 to 1.")
    )

    objects = CourseQuerySet.as_manager()

    def __str__(self) -> str:
        return self.id

    def clean(self) -> None:
        try:
            parse_course_key(self.id)
        except ValueError as exc:
            raise ValidationError({"id": str(exc)}) from exc

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with the organisation taken from the key if it is empty."""
        self.org = self.org or str(parse_course_key(self.id).org)
        super().save(*args, **kwargs)

    @property
    def display_name_with_default(self) -> str:
        """The display name, or the run part of the key in words."""
        return self.display_name or str(parse_course_key(self.id).run).replace("_", " ")

    @property
    def pacing(self) -> str:
        """ "self" or "instructor"."""
        return "self" if self.self_paced else "instructor"

    def has_ended(self) -> bool:
        """Return whether the course has an end, and it is past."""
        return self.end is not None and timezone.now() > self.end

    def is_enrollment_open(self) -> bool:
        """Return whether now is strictly inside the enrollment window; a missing bound is infinite."""
        now = timezone.now()
        return (self.enrollment_start is None or self.enrollment_start < now) and (
            self.enrollment_end is None or now < self.enrollment_end
        )


class CourseMode(RemembersStored):
    """An offer to take a course in one mode, at a price, until it expires.

    `expiration_datetime` is the upgrade deadline. Assigning one marks it as chosen by a person, so that automatic
    recomputation leaves it alone.
    """

    course = models.ForeignKey(Course, db_constraint=False, on_delete=models.DO_NOTHING, related_name="modes")
    mode_slug = models.CharField(max_length=100)
    mode_display_name = models.CharField(max_length=255)
    min_price = models.IntegerField(default=0)
    currency = models.CharField(max_length=8, default="usd")
    expiration_datetime = ExplicitDateTimeField(null=True, blank=True, help_text=_("Upgrade deadline."))
    expiration_datetime_is_explicit = models.BooleanField(default=False)
    suggested_prices = models.CharField(max_length=255, default="", blank=True, help_text=_("No longer used."))
    description = models.TextField(null=True, blank=True)  # noqa: DJ001  # clients see null and "" apart
    sku = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  # as above
    bulk_sku = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  # as above
    android_sku = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  # as above
    ios_sku = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  # as above

    objects = CourseModeQuerySet.as_manager()
    history = ChangeHistory()

    class Meta:
        constraints = [
            UniqueConstraint(fields=["course", "mode_slug", "currency"], name="enrollment_one_offer_per_currency"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("expiration_datetime") is not None:
            kwargs.setdefault("expiration_datetime_is_explicit", True)
        super().__init__(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.course_id}: {self.mode_slug}"

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Reload. A deadline comes with its flag, which reading it must not set."""
        names = None if fields is None else list(fields)
        if names is not None and "expiration_datetime" in names:
            names.append("expiration_datetime_is_explicit")
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)

    def clean_fields(self, exclude: Any = None) -> None:
        """Check each value. That assigns it, which chooses no deadline."""
        is_explicit = self.expiration_datetime_is_explicit
        super().clean_fields(exclude=exclude)
        self.expiration_datetime_is_explicit = is_explicit

    def clean(self) -> None:
        """Check the rules that also every `save` checks."""
        if self.mode_slug in PROFESSIONAL_MODES and self.expiration_datetime is not None:
            raise ValidationError({"expiration_datetime": _("A professional mode has no deadline.")})
        lowest = conf.COURSE_ENROLLMENT_MODES.get(self.mode_slug, {}).get("min_price", 0)
        if self.min_price < lowest:
            raise ValidationError(
                {"min_price": _("The price of this mode is at least %(lowest)s.") % {"lowest": lowest}}
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save.

        Raises:
            ValidationError: a professional mode with a deadline, or a price below the mode's lowest.
        """
        self.clean()
        self.currency = self.currency.lower()
        super().save(*args, **kwargs)

    def set_expiration(self, value: datetime | None, explicit: bool = False) -> None:
        """Set the deadline, as recomputed or, with `explicit`, as chosen by a person."""
        self.expiration_datetime = value
        self.expiration_datetime_is_explicit = explicit
