"""What this app needs from its surroundings (enrollment contract 12), each with its accessor.

A host names its own classes in `ENROLLMENT_PORTS`, by the name of the protocol; `enrollment.backends` has the
defaults. Classes are made without arguments whenever they are used. Course keys are passed as text. The module that
stores enrollments is a port as well: `ENROLLMENT_DATA_API` names it.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from coursecredit.backends import load_dotted, load_port
from enrollment.conf import conf
from enrollment.errors import EnrollmentApiLoadError
from enrollment.types import Account, AttributeDict, CourseDetailsDict, EnrollmentDict, Role

SETTING = "ENROLLMENT_PORTS"
DEFAULTS = {
    "CoursePort": "enrollment.backends.LocalCourses",
    "RolePort": "enrollment.backends.LocalRoles",
    "AccessPort": "enrollment.backends.ContractAccess",
    "EmbargoPort": "enrollment.backends.NoEmbargo",
    "CohortPort": "enrollment.backends.NoCohorts",
    "EmailOptInPort": "enrollment.backends.LocalEmailOptIns",
    "RetirementPort": "enrollment.backends.LocalRetirements",
    "AccountPort": "enrollment.backends.LocalAccounts",
    "ProfilePort": "enrollment.backends.LocalProfiles",
    "AuditLogPort": "enrollment.backends.AuditLogger",
    "TrackerPort": "enrollment.backends.NoTracker",
    "RateLimitPort": "enrollment.backends.SettingsRateLimit",
}
LOCAL_DATA_API = "enrollment.data"
HOOKS = frozenset({"PreEnrollHook", "EnrollHook", "UnenrollHook"})

log = logging.getLogger(__name__)


class CohortNotFound(Exception):
    """The course has no such cohort."""


class RetirementNotFound(Exception):
    """Nobody asked to remove this account."""


class RetirementNotActionable(Exception):
    """The removal of this account has not begun, or is over."""


class PreventEnrollment(Exception):
    """A hook does not let the learner in; its text is for the learner."""


class PreventUnenrollment(Exception):
    """A hook does not let the learner go; its text is for the learner."""


class CourseLike(Protocol):
    """A course run, as far as enrolling needs it; dates are aware or None."""

    @property
    def id(self) -> str: ...
    @property
    def org(self) -> str: ...
    @property
    def display_name_with_default(self) -> str: ...
    @property
    def start(self) -> datetime | None: ...
    @property
    def end(self) -> datetime | None: ...
    @property
    def enrollment_start(self) -> datetime | None: ...
    @property
    def enrollment_end(self) -> datetime | None: ...
    @property
    def invitation_only(self) -> bool: ...
    @property
    def max_student_enrollments_allowed(self) -> int | None: ...
    @property
    def minimum_grade_credit(self) -> float | None: ...
    @property
    def enable_proctored_exams(self) -> bool: ...
    @property
    def proctoring_provider(self) -> str | None: ...
    @property
    def pacing(self) -> str:
        """ "self" or "instructor"."""

    def is_enrollment_open(self) -> bool:
        """Return whether now is strictly inside the enrollment window; a missing bound is infinite."""


class CoursePort(Protocol):
    """Courses."""

    def get(self, course_key: str) -> CourseLike | None:
        """Return the course, or None."""

    def get_many(self, course_keys: Collection[str]) -> Mapping[str, CourseLike]:
        """Return the courses that exist, by key."""

    def lock(self, course_key: str) -> None:
        """Let nobody else past this call for the same course until the transaction ends: seats are counted then."""


class RolePort(Protocol):
    """Who is staff, and where."""

    def is_global_staff(self, user: Account) -> bool: ...

    def is_course_staff(self, user: Account, course_key: str) -> bool:
        """Return whether the user is staff or instructor of this very course."""

    def course_team_user_ids(self, course_key: str) -> Collection[int]:
        """Return the ids of staff, instructors and coaches of this very course."""

    def roles_for(self, user: Account) -> Iterable[tuple[str, str | None, str]]:
        """Return organisation, course key or None, and role, for every role of the user."""


class AccessPort(Protocol):
    """Who may enroll."""

    def can_enroll(self, user: Account, course: CourseLike) -> bool: ...


class EmbargoPort(Protocol):
    """Countries that a course is closed to."""

    def check(self, user: Account, course_key: str, ip: str, path: str) -> str | None:
        """Return None, or the path of a page that explains why this learner is kept out."""


class CohortPort(Protocol):
    """Groups of learners inside a course."""

    def add(self, user: Account, course_key: str, cohort_name: str) -> None:
        """Put the learner in the cohort; again changes nothing.

        Raises:
            CohortNotFound
        """


class EmailOptInPort(Protocol):
    """Learners' answers to mail from organisations."""

    def set(self, user: Account, org: str, opt_in: bool) -> None:
        """Store the answer; a minor's without parental consent is no."""


class RetirementPort(Protocol):
    """The removal of accounts."""

    def can_retire(self, requester: Account) -> bool: ...

    def require_actionable(self, username: str) -> None:
        """Return if the account is being removed just now.

        Raises:
            RetirementNotFound, RetirementNotActionable
        """


class AccountPort(Protocol):
    """Accounts of people who leave."""

    def retire(self, user: Account) -> bool:
        """Let nobody use the account any more, and let it name nobody; return whether that was still to be done.

        The row stays, because others refer to it. Called inside the transaction of `enrollment.api.retire_user`, last.
        Its new name is none that `retire_user` was given.
        """


class ProfilePort(Protocol):
    """What learners say about themselves."""

    def full_name(self, user: Account) -> str:
        """Return the name, or "" if unknown."""

    def email_confirmed(self, user: Account) -> bool:
        """Return whether the e-mail address is the user's: invitations act on confirmed addresses only.

        A host where learners change their own address has to supply this.
        """


class AuditLogPort(Protocol):
    """A log of what trusted servers changed."""

    def log(self, name: str, **fields: Any) -> None: ...


class TrackerPort(Protocol):
    """Analytics. Failures are logged and never reach the learner."""

    def track(
        self, name: str, data: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]
    ) -> None: ...


class RateLimitPort(Protocol):
    """Whether callers are throttled."""

    def enabled(self) -> bool: ...


class PreEnrollHook(Protocol):
    """Called with every POST before it changes anything."""

    def before_request(self, user: Account, course_key: str, is_server_request: bool, data: Mapping[str, Any]) -> None:
        """Return, or raise `PreventEnrollment`."""


class EnrollHook(Protocol):
    """Called before a learner is enrolled."""

    def before_enroll(self, user: Account, course_key: str, mode: str) -> str | None:
        """Return the mode to use (None: as asked), or raise `PreventEnrollment`."""


class UnenrollHook(Protocol):
    """Called before an active enrollment becomes inactive, retirement excepted."""

    def before_unenroll(self, enrollment: Any) -> None:
        """Return, or raise `PreventUnenrollment`."""


class EnrollmentData(Protocol):
    """A module that stores enrollments (enrollment contract 8). A result reaches the api's caller as it is.

    Optional arguments are passed only when they differ from their defaults, so a module written for the first version
    of the API, with the first five functions and those about attributes, will do for what that version could.

    A module may offer more, which the API takes where it is there: `atomic()`, a context manager around calls of
    several steps; and `hold_enrollment(username, course_id)`, which returns a `HeldEnrollment`.
    `enrollment.api.request_enrollment` goes by `mode` and `is_active` of the dicts that it is given.
    """

    def get_course_enrollments(self, username: str, include_inactive: bool = False) -> list[EnrollmentDict]:
        """Return a learner's enrollments, oldest first; [] for an unknown user."""

    def get_course_enrollment(self, username: str, course_id: str) -> EnrollmentDict | None:
        """Return the enrollment, active or not, or None."""

    def create_course_enrollment(
        self,
        username: str,
        course_id: str,
        mode: str,
        is_active: bool,
        enterprise_uuid: str | None = None,
        force_enrollment: bool = False,
    ) -> EnrollmentDict:
        """Enroll a learner, or enroll again one who had left.

        Args:
            mode: one that the course offers: the API has checked that.
            is_active: False stores the mode without using it: a new enrollment after the same checks, one that was
                left without any, since nobody gets in.
            enterprise_uuid: for analytics.
            force_enrollment: let in although enrollment is closed; never into a full course.

        Raises:
            UserNotFoundError, CourseNotFoundError, CourseEnrollmentClosedError, CourseEnrollmentFullError,
            CourseEnrollmentExistsError, EnrollmentNotAllowedError
        """

    def update_course_enrollment(
        self, username: str, course_id: str, mode: str | None = None, is_active: bool | None = None
    ) -> EnrollmentDict | None:
        """Change an enrollment and return it; None if there is none.

        Raises:
            UserNotFoundError, UnenrollmentNotAllowedError
        """

    def get_course_enrollment_info(self, course_id: str, include_expired: bool = False) -> CourseDetailsDict:
        """Return the course with its modes, credit modes included.

        Raises:
            CourseNotFoundError
        """

    def add_or_update_enrollment_attr(self, username: str, course_id: str, attributes: list[AttributeDict]) -> None:
        """Replace all attributes of an enrollment; without one do nothing.

        Raises:
            UserNotFoundError
        """

    def get_enrollment_attributes(self, username: str, course_id: str) -> list[AttributeDict]:
        """Return the attributes in the order in which they were given; [] without an enrollment.

        Raises:
            UserNotFoundError
        """

    def unenroll_user_from_all_courses(self, username: str) -> Collection[str]:
        """Deactivate every enrollment; return the organisations of all of the user's courses, each once.

        Raises:
            UserNotFoundError
        """

    def get_user_roles(self, username: str) -> Collection[Role]:
        """Return the user's roles.

        Raises:
            UserNotFoundError
        """

    def serialize_enrollments(self, rows: Iterable[Any]) -> list[EnrollmentDict]:
        """Return enrollment dicts for the module's own rows."""

    def get_user_enrollments(self, course_key: Any) -> Iterable[Any]:
        """Return the module's own rows of the active enrollments in one course, oldest first; for other apps."""


class HeldEnrollment(Protocol):
    """One learner's enrollment in one course, or none yet: nobody else changes it until the transaction ends.

    What a module returns that can lock, and that need not read the same things for every step.
    """

    def read(self) -> EnrollmentDict | None:
        """Return the enrollment, active or not, or None."""

    def course_info(self, include_expired: bool = False) -> CourseDetailsDict:
        """Return the course with its modes, as `EnrollmentData.get_course_enrollment_info`."""

    def create(
        self, mode: str, is_active: bool, enterprise_uuid: str | None = None, force_enrollment: bool = False
    ) -> EnrollmentDict:
        """Enroll the learner, as `EnrollmentData.create_course_enrollment`.

        Raises:
            CourseEnrollmentExistsError: also if somebody else has created an enrollment meanwhile, active or not;
                from now on that one is held.
        """

    def update(self, mode: str | None = None, is_active: bool | None = None) -> EnrollmentDict | None:
        """Change the enrollment, as `EnrollmentData.update_course_enrollment`."""

    def set_attributes(self, attributes: list[AttributeDict]) -> None:
        """Replace all attributes, as `EnrollmentData.add_or_update_enrollment_attr`."""


if TYPE_CHECKING:  # types are where both modules that ship are held to the protocols
    from enrollment import data, testing

    _default: EnrollmentData = data
    _in_memory: EnrollmentData = testing
    _held: HeldEnrollment = data.hold_enrollment("", "")


def data_api() -> EnrollmentData:
    """Return the module that stores enrollments.

    Raises:
        EnrollmentApiLoadError: nothing can be imported there.
    """
    path = conf.DATA_API
    try:
        return cast(EnrollmentData, import_module(path))
    except (ImportError, ValueError, TypeError) as exc:  # the last is about a path that starts with a dot
        log.exception("Could not load the module at %r that ENROLLMENT_DATA_API names.", path)
        raise EnrollmentApiLoadError(path) from exc


def courses() -> CoursePort:
    return cast(CoursePort, _port("CoursePort"))


def courses_are_local() -> bool:
    """Return whether courses are this app's own table, so that statements may join it."""
    return "CoursePort" not in conf.PORTS


def enrollments_are_local() -> bool:
    """Return whether enrollments, and all that decides about them, are this app's own tables, and no hook is asked."""
    own = ("CoursePort", "RolePort", "AccessPort")
    return (
        conf.DATA_API == LOCAL_DATA_API
        and all(conf.PORTS.get(name, DEFAULTS[name]) == DEFAULTS[name] for name in own)
        and not any(conf.PORTS.get(name) for name in ("EnrollHook", "UnenrollHook"))
    )


def asks_before_enrolling() -> bool:
    """Return whether the site has an embargo or hooks, which see each request before it changes anything."""
    return "EmbargoPort" in conf.PORTS or bool(conf.PORTS.get("PreEnrollHook"))


def roles() -> RolePort:
    return cast(RolePort, _port("RolePort"))


def access() -> AccessPort:
    return cast(AccessPort, _port("AccessPort"))


def embargo() -> EmbargoPort:
    return cast(EmbargoPort, _port("EmbargoPort"))


def cohorts() -> CohortPort:
    return cast(CohortPort, _port("CohortPort"))


def email_opt_ins() -> EmailOptInPort:
    return cast(EmailOptInPort, _port("EmailOptInPort"))


def retirements() -> RetirementPort:
    return cast(RetirementPort, _port("RetirementPort"))


def accounts() -> AccountPort:
    return cast(AccountPort, _port("AccountPort"))


def profiles() -> ProfilePort:
    return cast(ProfilePort, _port("ProfilePort"))


def audit_log() -> AuditLogPort:
    return cast(AuditLogPort, _port("AuditLogPort"))


def tracker() -> TrackerPort:
    return cast(TrackerPort, _port("TrackerPort"))


def rate_limit() -> RateLimitPort:
    return cast(RateLimitPort, _port("RateLimitPort"))


def pre_enroll_hooks() -> list[PreEnrollHook]:
    return cast(list[PreEnrollHook], _hooks("PreEnrollHook"))


def enroll_hooks() -> list[EnrollHook]:
    return cast(list[EnrollHook], _hooks("EnrollHook"))


def unenroll_hooks() -> list[UnenrollHook]:
    return cast(list[UnenrollHook], _hooks("UnenrollHook"))


def load_all() -> None:
    """Make every port and hook once.

    Raises:
        ImproperlyConfigured: `ENROLLMENT_PORTS` names something that does not exist.
    """
    for name in DEFAULTS:
        _port(name)
    for name in HOOKS:
        _hooks(name)


def _port(name: str) -> Any:
    configured = {port: path for port, path in conf.PORTS.items() if port not in HOOKS}
    return load_port(name, configured=configured, defaults=DEFAULTS, setting=SETTING)


def _hooks(name: str) -> list[Any]:
    return [load_dotted(path, setting=f"{SETTING}[{name!r}]")() for path in conf.PORTS.get(name, ())]
