"""REST endpoints of credit. Each reads like the list of its checks in credit contract 5, in the same order."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import transaction
from django.utils.decorators import method_decorator
from opaque_keys.edx.keys import CourseKey
from rest_framework import status
from rest_framework.exceptions import APIException, MethodNotAllowed, NotFound, ParseError, Throttled, ValidationError
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from coursecredit.errors import DomainError
from coursecredit.parsers import body_of
from coursecredit.problems import DETAIL, ApiViewMixin
from credit import api
from credit.choices import COURSE_KEY_REGEX, CREDIT_PROVIDER_ID_REGEX, AuditSource
from credit.conf import conf
from credit.exceptions import (
    CreditCourseNotFound,
    CreditRequestNotFound,
    InvalidCourseKey,
    InvalidCreditRequest,
    UserNotEligibleException,
)
from credit.permissions import IsOwnerInBody, IsOwnerInQuery
from credit.serializers import (
    CreditCourseSerializer,
    CreditEligibilitySerializer,
    CreditProviderCallbackSerializer,
    Form,
    parse_course_key,
)
from credit.signature import usable_keys
from credit.throttling import RefusedCallbackThrottle
from credit.types import CreditCourseDict, ProviderDict


class CreditView(ApiViewMixin, APIView):
    """What the credit endpoints share: their authenticators, and `{"detail", "code"}` for raised errors."""

    dialect = DETAIL
    authentication_setting = "CREDIT_AUTHENTICATION_CLASSES"

    def authentication_paths(self) -> Sequence[str] | None:
        return conf.CREDIT_AUTHENTICATION_CLASSES


class CreditCourseViewSet(ViewSetMixin, CreditView):
    """Courses in which credit can be earned, enabled or not: for staff."""

    permission_classes = (IsAdminUser,)
    lookup_field = "course_key"
    lookup_value_regex = COURSE_KEY_REGEX

    def list(self, request: Request) -> Response:
        return Response(api.list_credit_courses())

    def create(self, request: Request) -> Response:
        form = CreditCourseSerializer(data=body_of(request))
        form.is_valid(raise_exception=True)
        return Response(form.save(), status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, course_key: str) -> Response:
        return Response(find_course(addressed_key(course_key)))

    def update(self, request: Request, course_key: str) -> Response:
        key = addressed_key(course_key)
        course = checked(CreditCourseSerializer(data=body_of(request), context={"course_key": key}))
        try:
            row, created = api.put_credit_course(key, enabled=course.get("enabled"))
        except ModelValidationError as exc:
            raise ValidationError(exc.messages) from exc
        return Response(row, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)

    def partial_update(self, request: Request, course_key: str) -> Response:
        key = addressed_key(course_key)
        find_course(key)
        course = checked(CreditCourseSerializer(data=body_of(request), context={"course_key": key}, partial=True))
        return Response(api.update_credit_course(key, enabled=course.get("enabled")))


class CreditProviderViewSet(ViewSetMixin, CreditView):
    """Providers, inactive ones included."""

    permission_classes = (IsAuthenticated,)
    lookup_field = "provider_id"
    lookup_value_regex = CREDIT_PROVIDER_ID_REGEX

    def list(self, request: Request) -> Response:
        return Response(api.list_providers(asked_providers(request)))

    def retrieve(self, request: Request, provider_id: str) -> Response:
        asked = asked_providers(request)
        if asked is not None and provider_id not in asked:
            raise NotFound("This provider is not among `provider_ids`.")
        return Response(find_provider(provider_id))


class CreditProviderRequestCreateView(CreditView):
    """A learner, or staff for them, asks a provider for credit."""

    permission_classes = (IsAdminUser | IsOwnerInBody,)

    def post(self, request: Request, provider_id: str) -> Response:
        find_provider(provider_id)
        body = body_of(request)
        course_key = given_key(body.get("course_key"))
        username = given_username(body.get("username"))
        if not api.is_user_eligible_for_credit(username, course_key):
            raise UserNotEligibleException(course_key, username)
        source = AuditSource.LEARNER if username == request.user.get_username() else AuditSource.STAFF
        return Response(
            api.create_credit_request(course_key, provider_id, username, source=source, actor=str(request.user.pk))
        )


@method_decorator(transaction.non_atomic_requests, name="dispatch")  # what is refused is noted, not rolled back
class CreditProviderCallbackView(CreditView):
    """A provider tells its decision. Its signature is trusted, no session or token is.

    What became of it is noted in the callback log. Refusals are limited; a message that is genuine never is.
    """

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (RefusedCallbackThrottle,)
    http_method_names = ["post"]

    known_provider = ""  # the one in the address, once it is found
    genuine = False
    unreadable: Exception | None = None
    message: CreditProviderCallbackSerializer

    def post(self, request: Request, provider_id: str) -> Response:
        if not self.genuine:
            self._find(provider_id)
        if self.unreadable is not None:
            raise self.unreadable
        key = self.message.require_signature()  # forged: 403, whatever else is wrong
        decision = checked(self.message)  # malformed or stale: 400
        self.known_provider = provider_id
        try:
            api.accept_callback(
                decision["request_uuid"], provider_id, decision["status"], timestamp=decision["timestamp"], key=key
            )
        except CreditRequestNotFound:
            self._find(provider_id)  # looked for now only: a request that is found has a provider
            raise
        return Response()

    def _find(self, provider_id: str) -> None:
        self.known_provider = ""
        find_provider(provider_id)
        self.known_provider = provider_id

    def is_genuine(self, request: Request) -> bool:
        """Read the message; return whether a key of the provider has signed it, and it is well-formed and recent."""
        try:
            self.message = CreditProviderCallbackSerializer(data=body_of(request), context=self.kwargs)
        except (APIException, BadRequest, SuspiciousOperation) as exc:
            self.unreadable = exc  # kept, because a body is read once, and other things are told before
        else:
            self.genuine = self.message.signing_key is not None and self.message.is_valid()
        return self.genuine

    def handle_exception(self, exc: Exception) -> Response:
        if not isinstance(exc, MethodNotAllowed):
            self._note(exc)
        return super().handle_exception(exc)

    def _note(self, exc: Exception) -> None:
        throttle, provider_id = RefusedCallbackThrottle(), self.kwargs["provider_id"]
        if isinstance(exc, Throttled):  # before the database was asked
            self.known_provider = provider_id if usable_keys(provider_id) else ""
            times = throttle.count_limited(self.request, self.known_provider)
        else:
            times = 1
            if not self.genuine:
                throttle.count_refused(self.request, provider_id)
        if times:
            api.note_refused_callback(self.known_provider, reason_of(exc), times=times)


class CreditEligibilityView(CreditView):
    """Whether a learner is eligible in a course, and until when."""

    permission_classes = (IsAdminUser | IsOwnerInQuery,)

    def get(self, request: Request) -> Response:
        username, course_key = request.query_params.get("username"), request.query_params.get("course_key")
        if not username or not course_key:
            raise InvalidCreditRequest("Both `username` and `course_key` are required in the query.")
        eligibilities = api.list_eligibilities(username, given_key(course_key))
        return Response(CreditEligibilitySerializer(eligibilities, many=True).data)


def addressed_key(text: str) -> CourseKey:
    """Return the course key in an address, where anything else is no address of ours."""
    key = parse_course_key(text)
    if key is None:
        raise CreditCourseNotFound
    return key


def given_key(value: object) -> CourseKey:
    """Return the course key that a caller gave, or refuse what is none."""
    key = parse_course_key(value)
    if key is None:
        raise InvalidCourseKey(value)
    return key


def given_username(value: object) -> str:
    """Return the username that a caller gave, or refuse what is none."""
    if not isinstance(value, str) or not value:
        raise InvalidCreditRequest("`username` is required, as text.")
    return value


def find_course(course_key: CourseKey) -> CreditCourseDict:
    """Return the course's row, enabled or not."""
    course = api.get_credit_course_row(course_key)
    if course is None:
        raise CreditCourseNotFound
    return course


def find_provider(provider_id: str) -> ProviderDict:
    """Return the provider, active or not."""
    provider = api.get_provider(provider_id)
    if provider is None:
        raise NotFound("There is no credit provider with this id.")
    return provider


def asked_providers(request: Request) -> set[str] | None:
    """Return the ids to which the query restricts the answer, or None for all."""
    text = request.query_params.get("provider_ids")
    return set(text.split(",")) if text else None


def checked(form: Form) -> dict[str, Any]:
    """Return what a caller sent, or refuse it with the errors of its fields."""
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def reason_of(exc: Exception) -> str:
    """Return the code word under which the log remembers an error; what a caller made up is not part of it."""
    match exc:
        case DomainError():
            return exc.code
        case ValidationError():
            codes: Any = exc.get_codes()
            fields = (name for name in CreditProviderCallbackSerializer().fields if name in codes)
            return next((f"{name}_{codes[name][0]}" for name in fields), "unexpected_key")
        case APIException():
            return str(exc.get_codes())
        case BadRequest() | SuspiciousOperation():
            return ParseError.default_code
    return "server_error"
