"""What this app needs to know from its host, one protocol per neighbour, with the accessors that everybody uses.

A host names its own classes in `CREDIT_PORTS`; `credit.backends` has the defaults. A class is made without arguments
whenever it is needed.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol, cast

from opaque_keys.edx.keys import CourseKey, UsageKey

from coursecredit.backends import load_port
from credit.conf import conf
from credit.types import Block, Exam, Learner, Profile

DEFAULTS = {
    "learners": "credit.backends.EnrolledLearners",
    "courses": "credit.backends.EnrollmentCourses",
    "exams": "credit.backends.LocalExams",
    "commerce": "credit.backends.LocalCommerce",
    "site": "credit.backends.SettingsSite",
}


class Enrollment(Protocol):
    """A learner's place in a course, active or not."""

    @property
    def mode(self) -> str: ...

    @property
    def is_active(self) -> bool: ...

    @property
    def created(self) -> datetime | None: ...


class CourseFacts(Protocol):
    """What is known of a course; `minimum_grade_credit` is a fraction from 0 to 1."""

    @property
    def display_name(self) -> str: ...

    @property
    def end(self) -> datetime | None: ...

    @property
    def minimum_grade_credit(self) -> float | None: ...


class LearnerPort(Protocol):
    """Accounts, their profiles and their enrollments. Usernames compare case-sensitively."""

    def by_username(self, username: str, *, lock: bool = False) -> Learner | None:
        """Return the account, or None.

        With `lock`, inside a transaction, nobody else gets this learner with `lock` until it ends; that is what keeps
        two changes to one learner's credit from missing each other.
        """

    def by_id(self, user_id: int, *, lock: bool = False) -> Learner | None:
        """Return the account, or None; `lock` as in `by_username`."""

    def profile(self, user_id: int) -> Profile | None:
        """Return the account's profile, or None if it has none."""

    def enrollment(self, user_id: int, course_key: CourseKey) -> Enrollment | None:
        """Return the enrollment, active or not, or None."""

    def enrollments(self, user_id: int) -> Mapping[str, Enrollment]:
        """Return the learner's enrollments, active or not, by the text of their course's key."""

    def bought_from(self, user_id: int) -> Mapping[str, str]:
        """Return the ids of the providers from which the learner bought credit, by the text of the course's key.

        A course is left out if nothing was bought there, or nobody wrote down from whom.
        """

    def credit_modes(self) -> frozenset[str]:
        """Return the modes in which learners can earn credit."""


class CoursePort(Protocol):
    """Facts about courses."""

    def facts(self, course_key: CourseKey) -> CourseFacts | None:
        """Return what is known of the course, or None if it does not exist."""

    def facts_by_course(self, course_keys: Collection[CourseKey]) -> Mapping[str, CourseFacts]:
        """Return the same for those that exist, by the text of their keys."""


class ExamPort(Protocol):
    """Exams of courses, the blocks they are, and when learners completed them.

    The completion date is asked for while the learner is locked: a host that looks far for it bounds the wait.
    """

    def exams(self, course_key: CourseKey) -> list[Exam]:
        """Return every exam of the course, of whatever kind."""

    def block(self, usage_key: UsageKey) -> Block | None:
        """Return the published block, or None if it is not in the course."""

    def blocks(self, usage_keys: Collection[UsageKey]) -> Mapping[str, Block]:
        """Return those of the blocks that are published, by the text of their keys."""

    def last_completion_date(self, course_key: CourseKey, username: str) -> datetime | None:
        """Return when the learner completed the last proctored exam of the course.

        None unless the course has proctored exams and the learner has completed every one of them.
        """


class CommercePort(Protocol):
    """What is for sale. Asked while a learner is locked too: a host that looks far for the answer bounds the wait."""

    def credit_provider_ids(self, course_key: CourseKey) -> list[str] | None:
        """Return the ids of the providers that give credit for the course; None if that is not known."""


class SitePort(Protocol):
    """How the site presents itself in mail."""

    def platform_name(self) -> str:
        """Return the site's name as learners know it."""

    def site_host(self) -> str:
        """Return the host, with port if it has one."""

    def from_address(self) -> str:
        """Return the sender of the site's mail."""

    def dashboard_path(self) -> str:
        """Return the path of the learner's dashboard, with a leading slash."""

    def courses_path(self) -> str:
        """Return the path of the list of courses, with a leading slash."""


def learners() -> LearnerPort:
    """Return the port to accounts and enrollments."""
    return cast(LearnerPort, _load("learners"))


def courses() -> CoursePort:
    """Return the port to facts about courses."""
    return cast(CoursePort, _load("courses"))


def exams() -> ExamPort:
    """Return the port to exams."""
    return cast(ExamPort, _load("exams"))


def commerce() -> CommercePort:
    """Return the port to commerce."""
    return cast(CommercePort, _load("commerce"))


def site() -> SitePort:
    """Return the port to the site's own facts."""
    return cast(SitePort, _load("site"))


def _load(name: str) -> object:
    port: object = load_port(name, configured=conf.CREDIT_PORTS, defaults=DEFAULTS, setting="CREDIT_PORTS")
    return port
