"""Credit providers, learners' requests to them, and what the providers decide."""

import logging
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from credit import ports
from credit.api import announcements
from credit.choices import DECISIONS, GRADE_NAME, GRADE_NAMESPACE, AuditSource, RequestStatus, RequirementStatus
from credit.exceptions import (
    CreditProviderNotConfigured,
    CreditRequestNotFound,
    InvalidCreditStatus,
    RequestAlreadyCompleted,
    StaleCreditDecision,
    UserIsNotEligible,
)
from credit.models import (
    CreditAudit,
    CreditCourse,
    CreditEligibility,
    CreditProvider,
    CreditRequest,
    CreditRequirementStatus,
)
from credit.models.requests import new_request_uuid
from credit.signature import get_shared_secret_key, is_usable, signature, usable_keys
from credit.types import CreditRequestDict, CreditRequestForm, Learner, Parameters, ProviderDict

log = logging.getLogger(__name__)

LONGEST_GRADE = 7  # characters that providers read
DECIDED_BY = (  # what a decision needs to know: not what was sent, nor the provider's texts
    "uuid",
    "username",
    "status",
    "created",
    "modified",
    "last_callback_timestamp",
    "course__course_key",
    "provider__provider_id",
)
TO_SPACES = str.maketrans(dict.fromkeys(":\r\n", " "))
NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def get_credit_providers(providers_list: Collection[str] | None = None) -> list[ProviderDict]:
    """Return the active providers by id, those in `providers_list` only unless it is None or empty. Cached."""
    return CreditProvider.get_credit_providers(providers_list)


def list_providers(provider_ids: Collection[str] | None = None) -> list[ProviderDict]:
    """Return all providers by id, inactive ones too, those in `provider_ids` only unless it is None or empty."""
    providers = CreditProvider.objects.order_by("provider_id")
    return [provider.as_dict() for provider in (providers.with_ids(provider_ids) if provider_ids else providers)]


def get_provider(provider_id: str) -> ProviderDict | None:
    """Return the provider, inactive or not, or None."""
    provider = CreditProvider.objects.filter(provider_id=provider_id).first()
    return None if provider is None else provider.as_dict()


def get_credit_provider_info(request: HttpRequest, provider_id: str) -> JsonResponse:
    """Return a JSON response with the active provider under the names of its columns; an empty object without one."""
    provider = CreditProvider.get_credit_provider(provider_id)
    if provider is None:
        return JsonResponse({})
    return JsonResponse(
        {
            "provider_id": provider.provider_id,
            "display_name": provider.display_name,
            "provider_url": provider.provider_url,
            "provider_status_url": provider.provider_status_url,
            "provider_description": provider.provider_description,
            "enable_integration": provider.enable_integration,
            "fulfillment_instructions": provider.fulfillment_instructions,
            "thumbnail_url": provider.thumbnail_url,
        }
    )


def check_keys_exist(shared_secret_key: Any, provider_id: str) -> None:
    """Refuse a secret, or a list of secrets, with which nothing can be signed.

    Raises:
        CreditProviderNotConfigured: there is no usable key.
    """
    keys = shared_secret_key if isinstance(shared_secret_key, list | tuple) else [shared_secret_key]
    if not any(is_usable(key) for key in keys):
        raise CreditProviderNotConfigured(f"Credit provider [{provider_id}] has no usable shared secret.")


@retried_atomic
def create_credit_request(
    course_key: CourseKey,
    provider_id: str,
    username: str,
    *,
    source: str = AuditSource.LEARNER,
    actor: str = "",
) -> CreditRequestForm:
    """Return what the learner's browser submits to the provider to ask for credit.

    With integration the request is recorded and signed. Until the provider decides, a second time returns the same
    `request_uuid` with fresh data. Without integration it is a plain link, and nothing is recorded.

    Args:
        course_key: the course.
        provider_id: the provider to ask.
        username: the learner, or whoever is meant by staff.
        source: by which way the request came in, one of `AuditSource`.
        actor: id of the user who asked, as text; by default the learner's.

    Raises:
        UserIsNotEligible: no account, no valid eligibility, or no final grade from 0 to 1.
        CreditProviderNotConfigured: the provider is unknown or inactive, or has no usable key.
        RequestAlreadyCompleted: the provider has decided already.
    """
    now = timezone.now()
    provider = CreditProvider.get_credit_provider(provider_id)
    is_recorded = provider is not None and provider.enable_integration
    # Locked before the eligibility is looked at, which staff may be taking back.
    learner = ports.learners().by_username(username, lock=True) if is_recorded else None
    eligibilities = CreditEligibility.objects.of_learner(username).valid_at(now).filter(course__course_key=course_key)
    eligibility: CreditEligibility | None = eligibilities.select_related("course").first()
    if eligibility is None:
        raise UserIsNotEligible
    if provider is None:
        raise CreditProviderNotConfigured(f"There is no active credit provider [{provider_id}].")
    if not provider.enable_integration:
        return {"url": provider.provider_url, "method": "GET", "parameters": {}}
    check_keys_exist(get_shared_secret_key(provider_id), provider_id)
    if learner is None:
        raise UserIsNotEligible

    request, created = _recorded_request(learner, eligibility.course, provider, now)
    if created:
        CreditAudit.record_request(request, old="", source=source, actor=actor or str(learner.id))
    announcements.request_issued(learner, request, created=created)
    signed = {**request.parameters, "signature": signature(request.parameters, usable_keys(provider_id)[0])}
    return {"url": provider.provider_url, "method": "POST", "parameters": signed}


def _recorded_request(
    learner: Learner, course: CreditCourse, provider: CreditProvider, now: datetime
) -> tuple[CreditRequest, bool]:
    """Return the learner's request to the provider, with the data of this moment, and whether it is new.

    Raises:
        RequestAlreadyCompleted
    """
    uuid = new_request_uuid()
    request: CreditRequest
    request, created = CreditRequest.objects.locked().get_or_create(
        username=learner.username,
        course=course,
        provider=provider,
        defaults={"uuid": uuid, "parameters": lambda: _parameters(uuid, learner, course.course_key, now)},
    )
    if request.status != RequestStatus.PENDING:
        raise RequestAlreadyCompleted
    request.course, request.provider = course, provider  # known already: no further query
    if not created:
        request.parameters = _parameters(request.uuid, learner, course.course_key, now)
        request.save(update_fields=["parameters"])
    return request, created


def _parameters(request_uuid: str, learner: Learner, course_key: CourseKey, now: datetime) -> Parameters:
    """Return what is sent to the provider.

    No text in it contains a colon, so nobody can re-cut what is signed, or a line break, which a browser would send in
    another form than the one that was signed.
    """
    final_grade = _final_grade(learner.username, course_key)
    profile = ports.learners().profile(learner.id)
    enrollment = ports.learners().enrollment(learner.id, course_key)
    parameters: Parameters = {
        "request_uuid": request_uuid,
        "timestamp": int(now.timestamp()),
        "course_org": course_key.org,
        "course_num": course_key.course,
        "course_run": course_key.run,
        "enrollment_timestamp": _seconds(enrollment.created if enrollment else None),
        "course_completion_timestamp": _seconds(_completion_date(learner, course_key)),
        "final_grade": final_grade,
        "user_username": learner.username,
        "user_email": learner.email,
        "user_full_name": profile.name if profile else "",
        "user_mailing_address": "",
        "user_country": profile.country if profile else "",
    }
    return {key: value.translate(TO_SPACES) if isinstance(value, str) else value for key, value in parameters.items()}


def _seconds(moment: datetime | None) -> int | str:
    return "" if moment is None else int(moment.timestamp())


def _completion_date(learner: Learner, course_key: CourseKey) -> datetime | None:
    try:
        with transaction.atomic():
            return ports.exams().last_completion_date(course_key, learner.username)
    except Exception as exc:
        # The exception's text may name the learner.
        log.error("When user %s completed %s could not be found out (%s).", learner.id, course_key, type(exc).__name__)
        return None


def _final_grade(username: str, course_key: CourseKey) -> str:
    """Return the learner's grade as providers read it: a fraction from 0 to 1 in at most seven characters."""
    statuses = CreditRequirementStatus.objects.of_learner(username).filter(
        requirement__course__course_key=course_key,
        requirement__namespace=GRADE_NAMESPACE,
        requirement__name=GRADE_NAME,
        status=RequirementStatus.SATISFIED,
    )
    reason = statuses.values_list("reason", flat=True).first()
    grade = reason.get("final_grade") if isinstance(reason, dict) else None
    if isinstance(grade, bool) or not isinstance(grade, int | float | str) or not _is_fraction(grade):
        raise UserIsNotEligible("The learner has no final grade in this course.")
    text = str(grade)
    return text if len(text) <= LONGEST_GRADE else f"{float(grade):.5f}"


def _is_fraction(grade: float | str) -> bool:
    if isinstance(grade, str):
        return NUMBER.fullmatch(grade) is not None and float(grade) <= 1
    return 0 <= grade <= 1


@retried_atomic
def update_credit_request_status(
    request_uuid: str,
    provider_id: str,
    status: str,
    *,
    source: str = AuditSource.API,
    actor: str = "",
    reason: str = "",
) -> None:
    """Record a decision on a credit request and announce it, for trusted callers; a callback has its own function.

    The same decision again changes nothing. A different one corrects it, and from then on only callbacks made later
    may correct it again.

    Args:
        request_uuid: 32 hex digits, as sent to the provider.
        provider_id: the provider that was asked.
        status: "approved" or "rejected".
        source: by which way the decision came in, one of `AuditSource`.
        actor: id of the user who decided, as text.
        reason: why, for those who read the audit later.

    Raises:
        InvalidCreditStatus: any other status.
        CreditRequestNotFound: this provider has no such request.
    """
    request = _lock_request(request_uuid, provider_id, status)
    if request.status != status:
        request.last_callback_timestamp = _greatest(request.last_callback_timestamp, int(timezone.now().timestamp()))
        _decide(request, status, source=source, actor=actor, provider_timestamp=None, reason=reason)


@retried_atomic
def record_provider_decision(request_uuid: str, provider_id: str, status: str, *, timestamp: int) -> None:
    """Record a decision that a provider sent in a verified callback, and announce it.

    The same decision again changes nothing. A different one counts only if it was made later than every callback
    accepted before.

    Args:
        request_uuid: 32 hex digits, as sent to the provider.
        provider_id: the provider that speaks; the caller has established that.
        status: "approved" or "rejected".
        timestamp: when the provider made the callback, in seconds since 1970.

    Raises:
        InvalidCreditStatus: any other status.
        CreditRequestNotFound: this provider has no such request.
        StaleCreditDecision: it contradicts a callback that is as new or newer.
    """
    decide_by_callback(request_uuid, provider_id, status, timestamp=timestamp)


def decide_by_callback(request_uuid: str, provider_id: str, status: str, *, timestamp: int) -> None:
    """Do what `record_provider_decision` does, inside the caller's transaction."""
    request = _lock_request(request_uuid, provider_id, status)
    last = request.last_callback_timestamp
    if request.status not in (RequestStatus.PENDING, status) and last is not None and timestamp <= last:
        raise StaleCreditDecision
    request.last_callback_timestamp = _greatest(last, timestamp)
    if request.status != status:
        _decide(request, status, source=AuditSource.PROVIDER, actor=provider_id, provider_timestamp=timestamp)
    elif request.last_callback_timestamp != last:
        # Not save(): a repeat leaves `modified` alone.
        CreditRequest.objects.filter(pk=request.pk).update(last_callback_timestamp=request.last_callback_timestamp)


def _lock_request(request_uuid: str, provider_id: str, status: str) -> CreditRequest:
    if status not in DECISIONS:
        raise InvalidCreditStatus(f"{status!r} is neither {' nor '.join(sorted(DECISIONS))}.")
    rows = CreditRequest.objects.locked().select_related("course", "provider").only(*DECIDED_BY)
    request: CreditRequest | None = rows.filter(uuid=request_uuid, provider__provider_id=provider_id).first()
    if request is None:
        raise CreditRequestNotFound
    return request


def _decide(
    request: CreditRequest,
    status: str,
    *,
    source: str,
    actor: str,
    provider_timestamp: int | None,
    reason: str = "",
) -> None:
    previous_status, request.status = request.status, status
    request.save(update_fields=["status", "last_callback_timestamp"])
    CreditAudit.record_request(
        request,
        old=previous_status,
        source=source,
        actor=actor,
        provider_timestamp=provider_timestamp,
        reason=reason,
    )
    announcements.request_decided(request, previous_status=previous_status)


def _greatest(last: int | None, timestamp: int) -> int:
    return timestamp if last is None else max(last, timestamp)


def get_credit_requests_for_user(username: str) -> list[CreditRequestDict]:
    """Return the learner's requests, oldest first; `timestamp` is that of the last issue, in seconds. One query."""
    return CreditRequest.credit_requests_for_user(username)


def get_credit_request_status(username: str, course_key: CourseKey) -> CreditRequestDict | dict[str, Any]:
    """Return the learner's latest request in the course, `timestamp` being when it last changed; {} without one."""
    request = CreditRequest.get_user_request_status(username, course_key)
    return {} if request is None else request.as_dict(timestamp=request.modified)
