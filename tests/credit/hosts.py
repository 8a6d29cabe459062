"""Two hosts for tests of what runs on ports: the stand-alone one with its tables, and one that lives in memory."""

from collections.abc import Collection
from datetime import datetime
from itertools import count
from typing import Any

import attrs
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import ports
from credit.models import CourseExam
from credit.types import Block, Exam, Learner, Profile
from enrollment.models import CourseEnrollment
from tests.credit.factories import (
    CourseExamFactory,
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditProviderFactory,
    ExamAttemptFactory,
)
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, LearnerProfileFactory, UserFactory


@attrs.frozen
class Place:
    """An enrollment in memory."""

    mode: str
    is_active: bool
    created: datetime | None


@attrs.frozen
class Facts:
    """A course in memory."""

    display_name: str
    end: datetime | None
    minimum_grade_credit: float | None


class StandAlone:
    """The host that this project is by itself: rows of enrollment and credit."""

    PORTS: dict[str, str] = {}

    def add_learner(self, username: str, *, profile: Profile | None = None, **names: Any) -> Learner:
        user = UserFactory(username=username, email=f"{username}@example.com", **names)
        if profile is not None:
            LearnerProfileFactory(user=user, name=profile.name, country=profile.country, language=profile.language)
        return ports.learners().by_id(user.pk)

    def enroll(self, learner: Learner, course_key: CourseKey, place: Place) -> None:
        CourseEnrollmentFactory(
            user_id=learner.id, user=None, course_id=str(course_key), course=None, **attrs.asdict(place)
        )

    def buy(self, learner: Learner, course_key: CourseKey, provider_id: str) -> None:
        enrollment = CourseEnrollment.objects.get(user_id=learner.id, course_id=str(course_key))
        enrollment.attributes.create(namespace="credit", name="provider_id", value=provider_id)

    def add_course(self, course_key: CourseKey, facts: Facts) -> None:
        CourseFactory(id=str(course_key), **attrs.asdict(facts))

    def add_exam(self, course_key: CourseKey, exam: Exam, start: datetime | None) -> None:
        CourseExamFactory(course_key=course_key, block_start=start, **attrs.asdict(exam))

    def attempt(self, course_key: CourseKey, content_id: str, username: str, completed_at: datetime | None) -> None:
        exam = CourseExam.objects.get(course_key=course_key, content_id=content_id)
        ExamAttemptFactory(exam=exam, username=username, completed_at=completed_at)

    def sell(self, course_key: CourseKey, provider_ids: list[str]) -> None:
        course = CreditCourseFactory(course_key=course_key)
        for provider_id in provider_ids:
            CreditCourseProviderFactory(course=course, provider=CreditProviderFactory(provider_id=provider_id))


@attrs.define
class InMemory:
    """A host that keeps everything somewhere else than in our tables."""

    PORTS = {
        name: f"{__name__}.{port}"
        for name, port in (
            ("learners", "MemoryLearners"),
            ("courses", "MemoryCourses"),
            ("exams", "MemoryExams"),
            ("commerce", "MemoryCommerce"),
        )
    }

    learners: dict[int, Learner] = attrs.Factory(dict)
    profiles: dict[int, Profile | None] = attrs.Factory(dict)
    places: dict[tuple[int, CourseKey], Place] = attrs.Factory(dict)
    bought: dict[tuple[int, CourseKey], str] = attrs.Factory(dict)
    courses: dict[CourseKey, Facts] = attrs.Factory(dict)
    exams: dict[tuple[CourseKey, str], Exam] = attrs.Factory(dict)
    starts: dict[str, datetime | None] = attrs.Factory(dict)
    attempts: dict[tuple[str, str], datetime | None] = attrs.Factory(dict)
    on_sale: dict[CourseKey, list[str]] = attrs.Factory(dict)
    ids: Any = attrs.Factory(lambda: count(1))

    def add_learner(
        self, username: str, *, profile: Profile | None = None, first_name: str = "", last_name: str = "", **flags: bool
    ) -> Learner:
        learner = Learner(
            id=next(self.ids),
            username=username,
            email=f"{username}@example.com",
            full_name=f"{first_name} {last_name}".strip(),
            is_staff=flags.get("is_staff", False),
            is_active=flags.get("is_active", True),
        )
        self.learners[learner.id], self.profiles[learner.id] = learner, profile
        return learner

    def enroll(self, learner: Learner, course_key: CourseKey, place: Place) -> None:
        self.places[learner.id, course_key] = place

    def buy(self, learner: Learner, course_key: CourseKey, provider_id: str) -> None:
        self.bought[learner.id, course_key] = provider_id

    def add_course(self, course_key: CourseKey, facts: Facts) -> None:
        self.courses[course_key] = facts

    def add_exam(self, course_key: CourseKey, exam: Exam, start: datetime | None) -> None:
        self.exams[course_key, exam.content_id] = exam
        self.starts[exam.content_id] = start

    def attempt(self, course_key: CourseKey, content_id: str, username: str, completed_at: datetime | None) -> None:
        self.attempts[content_id, username] = completed_at

    def sell(self, course_key: CourseKey, provider_ids: list[str]) -> None:
        self.on_sale[course_key] = provider_ids


memory = InMemory()
"""What the ports below know; a test that uses them starts with `forget()`."""


def forget() -> InMemory:
    """Empty the memory and return it."""
    memory.__init__()  # type: ignore[misc]  # the same object, as new
    return memory


class MemoryLearners:
    def by_username(self, username: str, *, lock: bool = False) -> Learner | None:
        return next((learner for learner in memory.learners.values() if learner.username == username), None)

    def by_id(self, user_id: int, *, lock: bool = False) -> Learner | None:
        return memory.learners.get(user_id)

    def profile(self, user_id: int) -> Profile | None:
        return memory.profiles.get(user_id)

    def enrollment(self, user_id: int, course_key: CourseKey) -> Place | None:
        return memory.places.get((user_id, course_key))

    def enrollments(self, user_id: int) -> dict[str, Place]:
        return {str(key): place for (learner_id, key), place in memory.places.items() if learner_id == user_id}

    def bought_from(self, user_id: int) -> dict[str, str]:
        return {
            str(key): provider_id for (learner_id, key), provider_id in memory.bought.items() if learner_id == user_id
        }

    def credit_modes(self) -> frozenset[str]:
        return frozenset({"verified"})


class MemoryCourses:
    def facts(self, course_key: CourseKey) -> Facts | None:
        return memory.courses.get(course_key)

    def facts_by_course(self, course_keys: Collection[CourseKey]) -> dict[str, Facts]:
        return {str(key): memory.courses[key] for key in course_keys if key in memory.courses}


class MemoryExams:
    def exams(self, course_key: CourseKey) -> list[Exam]:
        return [exam for (course, _), exam in sorted(memory.exams.items(), key=str) if course == course_key]

    def block(self, usage_key: UsageKey) -> Block | None:
        return Block(start=memory.starts[str(usage_key)]) if str(usage_key) in memory.starts else None

    def blocks(self, usage_keys: Collection[UsageKey]) -> dict[str, Block]:
        return {str(key): Block(start=memory.starts[str(key)]) for key in usage_keys if str(key) in memory.starts}

    def last_completion_date(self, course_key: CourseKey, username: str) -> datetime | None:
        counted = [e for e in self.exams(course_key) if e.is_proctored and e.is_active and not e.is_practice_exam]
        completions = [memory.attempts.get((exam.content_id, username)) for exam in counted]
        return max(completions) if completions and None not in completions else None


class MemoryCommerce:
    def credit_provider_ids(self, course_key: CourseKey) -> list[str] | None:
        return memory.on_sale.get(course_key)
