"""What stand-alone sites know of people: profiles, roles, retirement, mail preferences."""

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from coursecredit.fields import DerivedCharField
from enrollment.choices import OptIn
from enrollment.querysets import CourseAccessRoleQuerySet

LANGUAGE_TAG = RegexValidator(
    r"\A[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z", _("This is not the code of a language, such as es or pt-br.")
)


class LearnerProfile(models.Model):
    """What a learner says about themselves. Personal data."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="learner_profile")
    name = models.CharField(max_length=255, blank=True, help_text=_("Full name."))
    mailing_address = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True, help_text=_("ISO 3166 two-letter code."))
    language = models.CharField(
        max_length=35,
        blank=True,
        default="",
        db_default="",
        validators=[LANGUAGE_TAG],
        help_text=_("BCP 47 code, such as es or pt-br. Mail is in it, if the site speaks it."),
    )

    def __str__(self) -> str:
        return f"profile of user {self.user_id}"


def _scope(role: Any) -> str:
    return role.course_id or ""


class CourseAccessRole(models.Model):
    """A role on one course, or without `course_id` on all courses of an organisation: the one role table."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="course_access_roles")
    org = models.CharField(max_length=64, blank=True)
    course_id = models.CharField(max_length=255, null=True, blank=True, db_index=True)  # noqa: DJ001  # null: every course
    role = models.CharField(max_length=64, db_index=True)
    # Nulls never equal each other, so a constraint on course_id would let an organisation-wide role in twice.
    scope = DerivedCharField(max_length=255, derive=_scope)

    objects = CourseAccessRoleQuerySet.as_manager()

    class Meta:
        constraints = [
            UniqueConstraint(fields=["user", "org", "scope", "role"], name="enrollment_one_role_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.course_id or self.org}: user {self.user_id}"


class RetirementRequest(TimeStampedModel):
    """How far the removal of an account is. Personal data: the username is the account's until it is done."""

    username = models.CharField(max_length=255, unique=True)
    state = models.CharField(max_length=64, db_index=True)

    def __str__(self) -> str:
        return f"retirement {self.pk}: {self.state}"


class EmailOptIn(TimeStampedModel):
    """A learner's answer to mail from one organisation."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="email_opt_ins")
    org = models.CharField(max_length=255)
    value = models.CharField(max_length=5, choices=OptIn.choices)

    class Meta:
        constraints = [UniqueConstraint(fields=["user", "org"], name="enrollment_one_answer_per_org")]

    def __str__(self) -> str:
        return f"{self.org}: {self.value} of user {self.user_id}"
