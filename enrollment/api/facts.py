"""Single facts for the apps above this one: one statement each, and no more than they need."""

from collections.abc import Collection

from opaque_keys.edx.keys import CourseKey

from enrollment import ports
from enrollment.keys import course_id_of
from enrollment.models import CourseEnrollment, CourseEnrollmentAttribute, LearnerProfile
from enrollment.types import CourseFacts, EnrollmentState, ProfileFacts


def get_enrollment_state(user_id: int, course_id: str | CourseKey) -> EnrollmentState | None:
    """Return a learner's enrollment in a course, active or not, or None.

    Args:
        user_id: the primary key of the account.

    Raises:
        InvalidCourseKeyError
    """
    row = CourseEnrollment.objects.of(user_id, course_id_of(course_id)).first()
    return None if row is None else EnrollmentState(mode=row.mode, is_active=row.is_active, created=row.created)


def get_enrollment_states(user_id: int) -> dict[str, EnrollmentState]:
    """Return a learner's enrollments, active or not, by course key's text.

    Args:
        user_id: the primary key of the account.
    """
    rows = CourseEnrollment.objects.filter(user_id=user_id).order_by("course_id")
    return {row.course_id: EnrollmentState(mode=row.mode, is_active=row.is_active, created=row.created) for row in rows}


def get_attribute_values(user_id: int, *, namespace: str, name: str) -> dict[str, str]:
    """Return one attribute of a learner's enrollments by course key's text; courses without it are left out.

    Args:
        user_id: the primary key of the account.
        namespace: the attribute's namespace.
        name: its name.
    """
    rows = CourseEnrollmentAttribute.objects.filter(enrollment__user_id=user_id, namespace=namespace, name=name)
    return dict(rows.values_list("enrollment__course_id", "value"))


def get_course_facts(course_id: str | CourseKey) -> CourseFacts | None:
    """Return what is known of a course, or None.

    Raises:
        InvalidCourseKeyError
    """
    course = ports.courses().get(course_id_of(course_id))
    return None if course is None else _facts(course)


def get_course_facts_by_id(course_ids: Collection[str | CourseKey]) -> dict[str, CourseFacts]:
    """Return what is known of those courses that exist, by course key's text.

    Raises:
        InvalidCourseKeyError
    """
    courses = ports.courses().get_many([course_id_of(course_id) for course_id in course_ids])
    return {course_id: _facts(course) for course_id, course in courses.items()}


def _facts(course: ports.CourseLike) -> CourseFacts:
    return CourseFacts(
        course_id=course.id,
        display_name=course.display_name_with_default,
        end=course.end,
        minimum_grade_credit=course.minimum_grade_credit,
    )


def get_profile(user_id: int) -> ProfileFacts | None:
    """Return what a learner says about themselves, or None if they have said nothing.

    Args:
        user_id: the primary key of the account.
    """
    profile = LearnerProfile.objects.filter(user_id=user_id).first()
    if profile is None:
        return None
    return ProfileFacts(
        name=profile.name,
        mailing_address=profile.mailing_address,
        country=profile.country,
        language=profile.language,
    )
