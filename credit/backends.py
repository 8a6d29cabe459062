"""Stand-alone homes of the ports: accounts and courses of `enrollment`, exams and providers in tables of this app."""

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import QuerySet
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from coursecredit.backends import load_dotted
from credit import ports
from credit.conf import conf
from credit.models import CourseExam, CreditCourseProvider, CreditProvider
from credit.types import Block, Exam, Learner, Profile
from enrollment import api as enrollment_api
from enrollment.choices import CREDIT_ELIGIBLE_MODES

log = logging.getLogger(__name__)


class EnrolledLearners:
    """The site's users, with enrollment's profiles and enrollments."""

    def by_username(self, username: str, *, lock: bool = False) -> Learner | None:
        return self._learner({get_user_model().USERNAME_FIELD: username}, lock=lock)

    def by_id(self, user_id: int, *, lock: bool = False) -> Learner | None:
        return self._learner({"pk": user_id}, lock=lock)

    def profile(self, user_id: int) -> Profile | None:
        facts = enrollment_api.get_profile(user_id)
        return None if facts is None else Profile(name=facts.name, country=facts.country, language=facts.language)

    def enrollment(self, user_id: int, course_key: CourseKey) -> ports.Enrollment | None:
        return enrollment_api.get_enrollment_state(user_id, course_key)

    def enrollments(self, user_id: int) -> Mapping[str, ports.Enrollment]:
        return enrollment_api.get_enrollment_states(user_id)

    def bought_from(self, user_id: int) -> Mapping[str, str]:
        return enrollment_api.get_attribute_values(user_id, namespace="credit", name="provider_id")

    def credit_modes(self) -> frozenset[str]:
        return CREDIT_ELIGIBLE_MODES

    def _learner(self, account: dict[str, Any], *, lock: bool) -> Learner | None:
        users: QuerySet[Any] = get_user_model()._default_manager.filter(**account)
        if lock:
            # Not the whole row: rows that refer to the account can still be added elsewhere.
            users = users.select_for_update(no_key=connection.features.has_select_for_no_key_update)
        user = users.first()
        return None if user is None else as_learner(user)


def as_learner(user: AbstractBaseUser) -> Learner:
    """Return what this app needs to know of an account."""
    return Learner(
        id=user.pk,
        username=user.get_username(),
        email=getattr(user, user.get_email_field_name(), ""),
        full_name=user.get_full_name() if hasattr(user, "get_full_name") else "",
        is_staff=getattr(user, "is_staff", False),
        is_active=user.is_active,
    )


class EnrollmentCourses:
    """Courses as enrollment knows them."""

    def facts(self, course_key: CourseKey) -> ports.CourseFacts | None:
        return enrollment_api.get_course_facts(course_key)

    def facts_by_course(self, course_keys: Collection[CourseKey]) -> Mapping[str, ports.CourseFacts]:
        return enrollment_api.get_course_facts_by_id(course_keys)


class LocalExams:
    """Exams and attempts in this app's tables. A block exists if an exam does."""

    def exams(self, course_key: CourseKey) -> list[Exam]:
        rows = CourseExam.objects.of_course(course_key).order_by("content_id")
        return [
            Exam(
                content_id=row.content_id,
                exam_name=row.exam_name,
                is_proctored=row.is_proctored,
                is_active=row.is_active,
                is_practice_exam=row.is_practice_exam,
            )
            for row in rows
        ]

    def block(self, usage_key: UsageKey) -> Block | None:
        return self.blocks([usage_key]).get(str(usage_key))

    def blocks(self, usage_keys: Collection[UsageKey]) -> Mapping[str, Block]:
        rows = CourseExam.objects.filter(content_id__in=[str(key) for key in usage_keys]).order_by("-pk")
        return {row.content_id: Block(start=row.block_start) for row in rows}

    def last_completion_date(self, course_key: CourseKey, username: str) -> datetime | None:
        exams = CourseExam.objects.of_course(course_key).proctored().with_completion(username)
        completions = [exam.completed_at for exam in exams if is_usage_key(exam.content_id)]
        return max(completions) if completions and None not in completions else None


def is_usage_key(text: str) -> bool:
    """Return whether a text is the key of a block."""
    try:
        UsageKey.from_string(text)
    except InvalidKeyError:
        return False
    return True


class LocalCommerce:
    """Providers of courses in this app's table; a course without rows gets credit from every active provider."""

    def credit_provider_ids(self, course_key: CourseKey) -> list[str] | None:
        return self.credit_provider_ids_by_course([course_key])[str(course_key)]

    def credit_provider_ids_by_course(self, course_keys: Collection[CourseKey]) -> dict[str, list[str]]:
        """Return the ids of the providers by the text of the course's key: in one statement for any number."""
        own: dict[str, list[str]] = {str(course_key): [] for course_key in course_keys}
        rows = CreditCourseProvider.objects.filter(course__course_key__in=course_keys)
        for course_key, provider_id in rows.order_by("provider__provider_id").values_list(
            "course__course_key", "provider__provider_id"
        ):
            own[str(course_key)].append(provider_id)
        if all(own.values()):
            return own
        every_one = [provider["id"] for provider in CreditProvider.get_credit_providers()]
        return {course_key: provider_ids or every_one for course_key, provider_ids in own.items()}


class SettingsSite:
    """The site as the settings describe it."""

    def platform_name(self) -> str:
        return conf.PLATFORM_NAME

    def site_host(self) -> str:
        return conf.SITE_NAME

    def from_address(self) -> str:
        return conf.DEFAULT_FROM_EMAIL

    def dashboard_path(self) -> str:
        return "/dashboard"

    def courses_path(self) -> str:
        return "/courses"


def get_credit_provider_ids_for_course(course_id: str) -> list[str] | None:
    """Return the ids of the providers of a course, or None if they cannot be found out; the reason is logged.

    A host replaces this by naming, in `OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE`, a function that takes the
    original first.
    """
    path = conf.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE
    if path is None:
        return _ask_commerce(course_id)
    setting = "OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE"
    return _or_none(course_id, lambda: load_dotted(path, setting=setting)(_ask_commerce, course_id))


def get_credit_provider_ids_for_courses(course_keys: Collection[CourseKey]) -> Mapping[str, list[str] | None]:
    """Return the same for many courses, by the text of their keys: in one statement if this app's own table knows."""
    commerce = ports.commerce() if conf.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE is None else None
    if type(commerce) is LocalCommerce:  # a subclass may answer otherwise
        return commerce.credit_provider_ids_by_course(course_keys)
    return {str(course_key): get_credit_provider_ids_for_course(str(course_key)) for course_key in course_keys}


def _ask_commerce(course_id: str) -> list[str] | None:
    return _or_none(course_id, lambda: ports.commerce().credit_provider_ids(CourseKey.from_string(course_id)))


def _or_none(course_id: str, find_out: Callable[[], list[str] | None]) -> list[str] | None:
    """Return what `find_out()` does, or None if it fails: the names of providers are never worth a learner's credit."""
    try:
        # A failed statement must not cost a transaction that is open. None is opened while neighbours are asked.
        with transaction.atomic() if transaction.get_connection().in_atomic_block else nullcontext():
            return find_out()
    except Exception:
        log.exception("The credit providers of course %s could not be found out.", course_id)
        return None
