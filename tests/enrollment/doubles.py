"""Neighbours of the app, for tests that name them in `ENROLLMENT_PORTS`."""

from typing import Any

from django.db import connection

from enrollment.backends import LocalRoles
from enrollment.models import CourseEnrollment
from enrollment.ports import CohortNotFound, PreventEnrollment, PreventUnenrollment


class KeepOut:
    def before_enroll(self, user, course_key, mode):
        raise PreventEnrollment("Pay your fees first.")


class EverybodyVerified:
    def before_enroll(self, user, course_key, mode):
        return "verified"


class Approves:
    def before_enroll(self, user, course_key, mode):
        return None


class HoldBack:
    def before_unenroll(self, enrollment):
        raise PreventUnenrollment("The exam is tomorrow.")


class RecordingHook:
    calls: list[tuple[Any, str, bool, dict[str, Any]]] = []

    def before_request(self, user, course_key, is_server_request, data):
        self.calls.append((user, course_key, is_server_request, data))


class PreventEverything:
    def before_request(self, user, course_key, is_server_request, data):
        raise PreventEnrollment("No consent was given.")


class RecordingCohorts:
    """Every course has the cohort "blue"."""

    members: list[tuple[Any, str, str]] = []

    def add(self, user, course_key, cohort_name):
        if cohort_name != "blue":
            raise CohortNotFound(cohort_name)
        if (user, course_key, cohort_name) not in self.members:
            self.members.append((user, course_key, cohort_name))


class NobodyConfirmed:
    def full_name(self, user):
        return "Somebody"

    def email_confirmed(self, user):
        return False


class RecordingTracker:
    calls: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = []

    def track(self, name, data, context, properties):
        self.calls.append((name, data, context, properties))


class BrokenTracker:
    def track(self, name, data, context, properties):
        raise OSError("no route to the sink")


class ElsewhereCourse:
    """A course of another system, as far as enrolling needs it."""

    id = "course-v1:Else+Where+2026"
    org = "Else"
    display_name_with_default = "Elsewhere"
    start = end = enrollment_start = enrollment_end = None
    invitation_only = False
    max_student_enrollments_allowed = None
    minimum_grade_credit = None
    enable_proctored_exams = False
    proctoring_provider = None
    pacing = "self"

    def is_enrollment_open(self):
        return True


class ElsewhereCourses:
    def get(self, course_key):
        return self.get_many([course_key]).get(course_key)

    def get_many(self, course_keys):
        return {key: ElsewhereCourse() for key in course_keys if key == ElsewhereCourse.id}

    def lock(self, course_key):
        pass


class BrokenAccess:
    def can_enroll(self, user, course):
        raise OSError("the registrar's office is closed")


class BrokenTable:
    """Fails in the database, for courses with "Broken" in their key."""

    def can_enroll(self, user, course):
        if "Broken" in course.id:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM no_such_table")
        return True


class QuickerShop:
    """Enrolls the learner while others still look whether that is allowed."""

    def can_enroll(self, user, course):
        CourseEnrollment.objects.get_or_create(user=user, course_id=course.id, defaults={"mode": "verified"})
        return True


class Sacrificed:
    """Loses the whole transaction, as MariaDB does to the victim of a deadlock."""

    def can_enroll(self, user, course):
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
        raise OSError("deadlock")


class BrokenRoles(LocalRoles):
    def roles_for(self, user):
        raise OSError(f"no roles for {user.get_username()}")


class UndressedRoles(LocalRoles):
    """Forgets what a role is made of."""

    def roles_for(self, user):
        return ["staff"]
