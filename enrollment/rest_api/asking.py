"""A request for an enrollment, step by step (enrollment contract 10.6): its form, whom it is about, who may ask it."""

from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError
from rest_framework.request import Request

from coursecredit.addresses import caller_address, named_address
from enrollment import api, ports
from enrollment.api.attributes import require_attributes
from enrollment.choices import SELF_SERVICE_MODES
from enrollment.errors import CourseEnrollmentError, EmbargoedError, InvalidActivationError
from enrollment.keys import MAX_LENGTH, course_id_of
from enrollment.rest_api.base import LearnerView
from enrollment.rest_api.fields import flag_in, object_in, text_in
from enrollment.rest_api.refusals import (
    CourseIdMissing,
    InvalidForce,
    LearnerHidden,
    ModeForbidden,
    TargetMissing,
)
from enrollment.types import Account, EnrollmentDict

NO_ENTERPRISE = ("", "None")  # which one client sends if it means nothing
LONGEST_MODE = 100


class AskingView(LearnerView):
    """A view that takes requests for enrollments. What is known so far stays on it, for the wording of errors."""

    asked_course_id = ""
    asked_username = ""

    def ask(self, request: Request) -> EnrollmentDict:
        """Return the enrollment that the request asks for.

        Raises:
            DomainError: of the first step that refuses.
        """
        body = request.data if isinstance(request.data, Mapping) else {}
        course_id = self._course_id(body)
        target = self._target(body)
        mode = self._mode(body)
        self._require_no_embargo(target, course_id)
        if not self.is_server_request:
            return self._enroll(target, course_id, mode, body)

        enrollment: EnrollmentDict | None = None
        try:
            enrollment = self._enroll(target, course_id, mode, body)
            return enrollment
        finally:
            self._note(target, course_id, mode, body, enrollment)

    def _course_id(self, body: Mapping[str, Any]) -> str:
        given = object_in(body, "course_details").get("course_id")
        if not given:
            raise CourseIdMissing
        self.asked_course_id = given[:MAX_LENGTH] if isinstance(given, str) else ""
        return course_id_of(given)

    def _target(self, body: Mapping[str, Any]) -> Account:
        username, email = text_in(body, "user") or None, text_in(body, "email") or None
        if (username or email) and not self.is_privileged and username != self.own_username:
            raise LearnerHidden
        if username is None and email is not None:
            target = api.get_account_by_email(email)
        elif username in (None, self.own_username):
            target = self._requester()
        else:
            target = api.get_account(username)
        self.asked_username = target.get_username()
        return target

    def _requester(self) -> Account:
        if self.requester is None:
            raise TargetMissing
        return self.requester

    def _mode(self, body: Mapping[str, Any]) -> str | None:
        mode = text_in(body, "mode")
        if mode is not None and mode not in SELF_SERVICE_MODES and not self.is_privileged:
            raise ModeForbidden(f"User does not have permission to create enrollment with mode [{mode}].")
        return mode

    def _require_no_embargo(self, target: Account, course_id: str) -> None:
        # A trusted server says for whom it speaks; whoever else does so might make the address up.
        address = named_address if self.is_server_request else caller_address
        explanation = api.find_embargo(target, course_id, ip=address(self.request), path=self.request.path)
        if explanation is not None:
            raise EmbargoedError(user_message_url=self.request.build_absolute_uri(explanation))

    def _enroll(self, target: Account, course_id: str, mode: str | None, body: Mapping[str, Any]) -> EnrollmentDict:
        is_active = flag_in(body, "is_active", InvalidActivationError)
        force = flag_in(body, "force_enrollment", InvalidForce)
        attributes = body.get("enrollment_attributes")
        if attributes is not None:
            require_attributes(attributes)
        cohort, opt_in = text_in(body, "cohort"), flag_in(body, "email_opt_in")
        enterprise = text_in(body, "enterprise_uuid")
        # Nothing is refused for its form after the hooks, which may have effects elsewhere.
        api.ask_pre_enroll_hooks(target.get_username(), course_id, is_server_request=self.is_server_request, data=body)
        return api.request_enrollment(
            target.get_username(),
            course_id,
            mode=mode,
            is_active=is_active,
            enrollment_attributes=attributes,
            cohort=cohort,
            email_opt_in=opt_in,
            enterprise_uuid=None if enterprise in NO_ENTERPRISE else enterprise,
            privileged=self.is_privileged,
            server_request=self.is_server_request,
            force_enrollment=bool(force) and self.is_global_staff,
        )

    def _note(
        self,
        target: Account,
        course_id: str,
        mode: str | None,
        body: Mapping[str, Any],
        enrollment: EnrollmentDict | None,
    ) -> None:
        """Tell the audit log what a trusted server wanted, and what is stored now."""
        if enrollment is None:
            try:
                enrollment = api.get_enrollment(target.get_username(), course_id)
            except (DatabaseError, CourseEnrollmentError):  # of what failed before: that is told, not this
                enrollment = None
        stored: Mapping[str, Any] = enrollment or {}
        is_active = body.get("is_active")
        ports.audit_log().log(
            "enrollment_change_requested",
            course_id=course_id,
            requested_mode=mode[:LONGEST_MODE] if mode else mode,
            actual_mode=stored.get("mode"),
            requested_activation=is_active if isinstance(is_active, bool) else None,
            actual_activation=stored.get("is_active"),
            user_id=target.pk,
        )
