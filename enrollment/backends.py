"""What the ports are on a site that has nothing else: this app's own tables, and neighbours that are not there."""

import logging
import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from enrollment import ports
from enrollment.access_rules import may_enroll
from enrollment.choices import FINISHED_STEP_SUFFIX, OptIn, RetirementState
from enrollment.conf import conf
from enrollment.models import Course, CourseAccessRole, CourseEnrollmentAllowed, EmailOptIn, RetirementRequest
from enrollment.types import Account


class LocalCourses:
    """Courses in this app's table."""

    def get(self, course_key: str) -> Course | None:
        return Course.objects.filter(pk=course_key).first()

    def get_many(self, course_keys: Collection[str]) -> Mapping[str, Course]:
        return Course.objects.in_bulk(course_keys)

    def lock(self, course_key: str) -> None:
        Course.objects.select_for_update().filter(pk=course_key).values_list("pk").first()


class LocalRoles:
    """Global staff are Django's; roles in courses are in this app's table."""

    def is_global_staff(self, user: Account) -> bool:
        return user.is_staff

    def is_course_staff(self, user: Account, course_key: str) -> bool:
        return CourseAccessRole.objects.on_course(course_key).staff().filter(user=user).exists()

    def course_team_user_ids(self, course_key: str) -> set[int]:
        return set(CourseAccessRole.objects.on_course(course_key).team().values_list("user_id", flat=True))

    def roles_for(self, user: Account) -> Iterable[tuple[str, str | None, str]]:
        rows = CourseAccessRole.objects.filter(user=user).order_by("pk")
        return [(row.org, row.course_id, row.role) for row in rows]


class ContractAccess:
    """The rule of enrollment contract 5.1."""

    def can_enroll(self, user: Account, course: ports.CourseLike) -> bool:
        """Return whether an invitation, a role or the course's own openness lets the user in."""
        invitation = self._invitation(user, course)
        return may_enroll(
            is_invitation_valid=None if invitation is None else invitation.valid_for_user(user),
            is_invitation_only=course.invitation_only,
            is_open=course.is_enrollment_open,
            is_staff=lambda: self._is_staff(user, course),
        )

    def _invitation(self, user: Account, course: ports.CourseLike) -> CourseEnrollmentAllowed | None:
        if not ports.profiles().email_confirmed(user):
            return None
        found: CourseEnrollmentAllowed | None = (
            CourseEnrollmentAllowed.objects.to_address(user.email).filter(course_id=course.id).first()
        )
        return found

    def _is_staff(self, user: Account, course: ports.CourseLike) -> bool:
        roles = ports.roles()
        return roles.is_global_staff(user) or roles.is_course_staff(user, course.id)


class NoEmbargo:
    """No course is closed to any country."""

    def check(self, user: Account, course_key: str, ip: str, path: str) -> str | None:
        return None


class NoCohorts:
    """No course has cohorts."""

    def add(self, user: Account, course_key: str, cohort_name: str) -> None:
        raise ports.CohortNotFound(cohort_name)


class LocalEmailOptIns:
    """Answers in this app's table. Nobody's age is known here, so everybody's answer is their own."""

    def set(self, user: Account, org: str, opt_in: bool) -> None:
        EmailOptIn.objects.update_or_create(user=user, org=org, defaults={"value": OptIn.YES if opt_in else OptIn.NO})


class LocalRetirements:
    """Superusers retire accounts; how far each removal is stands in this app's table."""

    def can_retire(self, requester: Account) -> bool:
        return requester.is_superuser

    def require_actionable(self, username: str) -> None:
        state = RetirementRequest.objects.filter(username=username).values_list("state", flat=True).first()
        if state is None:
            raise ports.RetirementNotFound
        if state in RetirementState.values or state.endswith(FINISHED_STEP_SUFFIX):
            raise ports.RetirementNotActionable(state)


class LocalAccounts:
    """Django's own accounts, and models that extend them."""

    NAMING = ("email", "first_name", "last_name")
    ENTITLING = ("is_active", "is_staff", "is_superuser")

    def retire(self, user: Account) -> bool:
        fields = {field.name for field in user._meta.concrete_fields}
        prefix = f"retired.{user.pk}."
        if user.get_username().startswith(prefix) and not user.is_active:
            return False
        setattr(user, user.USERNAME_FIELD, prefix + secrets.token_hex(8))
        for name in self.NAMING:
            if name in fields and name != user.USERNAME_FIELD:
                setattr(user, name, "")
        for name in self.ENTITLING:
            if name in fields:
                setattr(user, name, False)
        if "last_login" in fields:
            user.last_login = None
        user.set_unusable_password()
        user.save()
        for relation in ("groups", "user_permissions"):
            if hasattr(user, relation):
                getattr(user, relation).clear()
        return True


class LocalProfiles:
    """Names in this app's table or in the account; every address counts as confirmed."""

    def full_name(self, user: Account) -> str:
        try:
            name: str = user.learner_profile.name
        except ObjectDoesNotExist:
            name = ""
        return name or user.get_full_name()

    def email_confirmed(self, user: Account) -> bool:
        return True


class AuditLogger:
    """Records on the logger `audit`."""

    def log(self, name: str, **fields: Any) -> None:
        logging.getLogger("audit").info("%s %s", name, " ".join(f"{key}={value!r}" for key, value in fields.items()))


class NoTracker:
    """No analytics."""

    def track(
        self, name: str, data: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]
    ) -> None:
        pass


class SettingsRateLimit:
    """Callers are throttled unless `ENROLLMENT_THROTTLING_ENABLED` is off."""

    def enabled(self) -> bool:
        return conf.THROTTLING_ENABLED
