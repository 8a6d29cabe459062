"""Words that are stored or go over the wire, so they never change."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ModeSlug(models.TextChoices):
    """The modes this project knows. A course may offer others: the column takes any text."""

    AUDIT = "audit", _("Audit")
    CREDIT = "credit", _("Credit")
    HONOR = "honor", _("Honor")
    NO_ID_PROFESSIONAL = "no-id-professional", _("Professional, without identity check")
    PROFESSIONAL = "professional", _("Professional")
    VERIFIED = "verified", _("Verified")
    MASTERS = "masters", _("Master's")
    EXECUTIVE_EDUCATION = "executive-education", _("Executive education")
    PAID_EXECUTIVE_EDUCATION = "paid-executive-education", _("Executive education, paid")
    UNPAID_EXECUTIVE_EDUCATION = "unpaid-executive-education", _("Executive education, unpaid")
    PAID_BOOTCAMP = "paid-bootcamp", _("Bootcamp, paid")
    UNPAID_BOOTCAMP = "unpaid-bootcamp", _("Bootcamp, unpaid")


ALL_MODES: frozenset[str] = frozenset(ModeSlug.values)
AUDIT_MODES: frozenset[str] = frozenset(
    {ModeSlug.AUDIT, ModeSlug.HONOR, ModeSlug.UNPAID_EXECUTIVE_EDUCATION, ModeSlug.UNPAID_BOOTCAMP}
)
"""Free, and may be upgraded."""
VERIFIED_MODES: frozenset[str] = frozenset(
    {
        ModeSlug.VERIFIED,
        ModeSlug.PROFESSIONAL,
        ModeSlug.MASTERS,
        ModeSlug.EXECUTIVE_EDUCATION,
        ModeSlug.PAID_EXECUTIVE_EDUCATION,
        ModeSlug.PAID_BOOTCAMP,
    }
)
NON_VERIFIED_MODES: frozenset[str] = frozenset({ModeSlug.HONOR, ModeSlug.AUDIT, ModeSlug.NO_ID_PROFESSIONAL})
CREDIT_MODES: frozenset[str] = frozenset({ModeSlug.CREDIT})
"""Offered only after completion, so nobody selects them."""
CREDIT_ELIGIBLE_MODES: frozenset[str] = frozenset(
    {
        ModeSlug.VERIFIED,
        ModeSlug.PROFESSIONAL,
        ModeSlug.NO_ID_PROFESSIONAL,
        ModeSlug.EXECUTIVE_EDUCATION,
        ModeSlug.PAID_EXECUTIVE_EDUCATION,
        ModeSlug.PAID_BOOTCAMP,
    }
)
"""Learners in these may buy credit."""
PROFESSIONAL_MODES: frozenset[str] = frozenset({ModeSlug.PROFESSIONAL, ModeSlug.NO_ID_PROFESSIONAL})
PROCTORED_MODES: frozenset[str] = frozenset(
    {ModeSlug.VERIFIED, ModeSlug.MASTERS, ModeSlug.PROFESSIONAL, ModeSlug.EXECUTIVE_EDUCATION}
)
"""Learners in these may take proctored exams."""
SELF_SERVICE_MODES: frozenset[str] = frozenset({ModeSlug.AUDIT, ModeSlug.HONOR})
"""A learner without further rights may ask for these."""

REQUIRED_ATTRIBUTES: dict[str, list[str]] = {ModeSlug.CREDIT.value: ["credit:provider_id"]}
"""Attributes, as `namespace:name`, that a request for a mode has to bring; plain api calls are not asked for them."""


class CourseRole(models.TextChoices):
    """Roles that rules of this app look at; the column takes any text."""

    STAFF = "staff", _("Staff")
    INSTRUCTOR = "instructor", _("Instructor")
    CCX_COACH = "ccx_coach", _("Coach of a custom course")


COURSE_STAFF_ROLES: frozenset[str] = frozenset({CourseRole.STAFF, CourseRole.INSTRUCTOR})
COURSE_TEAM_ROLES: frozenset[str] = frozenset(CourseRole.values)
"""Whoever holds one of these takes no seat in a course with a cap."""


class StateTransition(models.TextChoices):
    """What a manual change of an enrollment did."""

    UNENROLLED_TO_ALLOWED = "from unenrolled to allowed to enroll", _("From unenrolled to allowed to enroll")
    ALLOWED_TO_ENROLLED = "from allowed to enroll to enrolled", _("From allowed to enroll to enrolled")
    ENROLLED_TO_ENROLLED = "from enrolled to enrolled", _("From enrolled to enrolled")
    ENROLLED_TO_UNENROLLED = "from enrolled to unenrolled", _("From enrolled to unenrolled")
    UNENROLLED_TO_ENROLLED = "from unenrolled to enrolled", _("From unenrolled to enrolled")
    ALLOWED_TO_UNENROLLED = "from allowed to enroll to unenrolled", _("From allowed to enroll to unenrolled")
    UNENROLLED_TO_UNENROLLED = "from unenrolled to unenrolled", _("From unenrolled to unenrolled")
    DEFAULT = "N/A", _("Not applicable")


class RetirementState(models.TextChoices):
    """States in which a retirement is not being worked on; names of the steps in between are the host's."""

    PENDING = "PENDING", _("Pending")
    ERRORED = "ERRORED", _("Errored")
    ABORTED = "ABORTED", _("Aborted")
    COMPLETE = "COMPLETE", _("Complete")


FINISHED_STEP_SUFFIX = "_COMPLETE"
"""Ends the name of every retirement state that says that a step is over."""


class OptIn(models.TextChoices):
    """A learner's answer to mail from an organisation."""

    YES = "True", _("Yes")
    NO = "False", _("No")


class CertificateStatus(models.TextChoices):
    """States of a certificate that rules look at; the column takes any text."""

    DOWNLOADABLE = "downloadable", _("Downloadable")
    GENERATING = "generating", _("Generating")
    NOT_PASSING = "notpassing", _("Not passing")
    UNAVAILABLE = "unavailable", _("Unavailable")


PASSING_CERTIFICATE_STATUSES: frozenset[str] = frozenset({CertificateStatus.DOWNLOADABLE, CertificateStatus.GENERATING})


class JobStatus(models.TextChoices):
    """How far a job is."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


class JobFormat(models.TextChoices):
    """How a job's input is written."""

    CSV = "csv", _("CSV with a header line")
    JSON_LINES = "jsonl", _("One JSON object per line")
