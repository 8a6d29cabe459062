"""Many enrollments in one call, for staff: each item is answered, and none fails because of another."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from coursecredit.errors import DomainError
from coursecredit.transactions import retried_atomic
from enrollment import bulk, ports
from enrollment.api.accounts import find_embargo
from enrollment.api.attributes import MAX_LENGTH, is_storable, require_attributes
from enrollment.api.requests import ask_pre_enroll_hooks, request_enrollment
from enrollment.bulk import Done, Result, Wish
from enrollment.errors import (
    CourseIdMissingError,
    DryRunImpossibleError,
    EmbargoedError,
    EnrollmentPreventedError,
    InvalidActivationError,
    MalformedItemError,
    TargetMissingError,
    TooManyItemsError,
    UserNotFoundError,
)
from enrollment.keys import course_id_of
from enrollment.state_machine import Stored
from enrollment.types import Account, BulkItem, BulkOutcome, EnrollmentDict, ItemErrorDict, StateDict

MOST_ITEMS = 1_000


def enroll_in_bulk(
    items: Sequence[BulkItem],
    *,
    requested_by: int | None,
    force_enrollment: bool = False,
    invite_unknown: bool = False,
    dry_run: bool = False,
    ip: str = "",
    path: str = "",
) -> list[BulkOutcome]:
    """Do what each item means as a request of global staff, one after the other, and return what became of each.

    A later item meets what earlier ones have done, for the same learner too. An item that is refused changes nothing
    and hinders no other. All of it happens in the caller's transaction, or in one of its own.

    The number of statements does not depend on the number of items while this app's own tables are used and no hook
    is asked. With another data backend, with a `CoursePort`, `RolePort` or `AccessPort` of the host's, or with hooks,
    each item costs what a single request does; `PreEnrollHook` and `EmbargoPort` are asked about each item.

    Args:
        items: at most 1,000.
        requested_by: primary key of the account that asks, for history and audit.
        force_enrollment: pass over closed enrollment and expired modes; never over a full course.
        invite_unknown: invite addresses that no account has, so that they are enrolled once one has. Mode and
            attributes of such an item are not kept: who takes up an invitation gets the mode for learners who name
            none.
        dry_run: change nothing, and say what would happen. `PreEnrollHook`s are not asked then.
        ip: the caller's address for the `EmbargoPort`, "" if unknown.
        path: what was called, for the same.

    Raises:
        TooManyItemsError
        DryRunImpossibleError: the data backend cannot undo what is tried.
        EnrollmentApiLoadError: the same cannot be found out.
    """
    if len(items) > MOST_ITEMS:
        raise TooManyItemsError
    if dry_run and not _can_undo():
        raise DryRunImpossibleError
    wishes = [_wish(item) for item in items]
    if ports.asks_before_enrolling():
        wishes = _not_kept_out(wishes, items, ask_hooks=not dry_run, ip=ip, path=path)

    @retried_atomic
    def apply() -> list[Result]:
        results, found, unknown = _with_accounts(wishes, invite_unknown=invite_unknown)
        learners = [found[place] for place in found]
        if ports.enrollments_are_local():
            enrolled = bulk.enroll(learners, force=force_enrollment, requested_by=requested_by, dry_run=dry_run)
        else:
            enrolled = _enroll_one_by_one(learners, force=force_enrollment, dry_run=dry_run)
        invited = bulk.invite([*unknown.values()], requested_by=requested_by, dry_run=dry_run)
        results |= zip(found, enrolled, strict=True)
        results |= zip(unknown, invited, strict=True)
        return [results[place] for place in range(len(wishes))]

    return [_outcome(result) for result in apply()]


def _wish(item: Any) -> Wish | DomainError:
    """Return an item that names a learner and a course, or why it does not."""
    try:
        if not isinstance(item, Mapping):
            raise MalformedItemError("An item must be an object.")
        if not item.get("course_id"):
            raise CourseIdMissingError
        course_id = course_id_of(item["course_id"])
        username, email = _text_in(item, "username"), _text_in(item, "email")
        if username is None and email is None:
            raise TargetMissingError
    except DomainError as exc:
        return exc
    try:
        return Wish(username, email, course_id, *_wanted(item))
    except DomainError as exc:
        return Wish(username, email, course_id, flaw=exc)


def _wanted(item: Mapping[str, Any]) -> tuple[str | None, bool | None, Any]:
    """Return mode, activity and attributes."""
    mode, is_active, attributes = _text_in(item, "mode"), item.get("is_active"), item.get("enrollment_attributes")
    if not (is_active is None or isinstance(is_active, bool)):
        raise InvalidActivationError
    if attributes is not None:
        require_attributes(attributes)
    return mode, is_active, attributes


def _text_in(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    if value is None or value == "":
        return None
    if not is_storable(value):
        raise MalformedItemError(f"`{name}` must be text of at most {MAX_LENGTH} characters, or null.")
    text: str = value
    return text


def _not_kept_out(
    wishes: Sequence[Wish | DomainError], items: Sequence[BulkItem], *, ask_hooks: bool, ip: str, path: str
) -> list[Wish | DomainError]:
    """Ask embargo and hooks about each item, in the order of a single request, before any transaction is opened."""
    accounts = bulk.find_accounts(wish for wish in wishes if isinstance(wish, Wish))

    def asked(wish: Wish | DomainError, item: BulkItem) -> Wish | DomainError:
        if isinstance(wish, DomainError):
            return wish
        try:
            user = accounts.of(wish)
        except UserNotFoundError:
            return wish  # who that is to be is said later
        if find_embargo(user, wish.course_id, ip=ip, path=path) is not None:
            return EmbargoedError()
        if wish.flaw is not None or not ask_hooks:
            return wish
        try:
            ask_pre_enroll_hooks(user.get_username(), wish.course_id, is_server_request=False, data=item)
        except EnrollmentPreventedError:
            return EnrollmentPreventedError()  # a hook's own text is not for the caller
        return wish

    return [asked(wish, item) for wish, item in zip(wishes, items, strict=True)]


def _with_accounts(
    wishes: Sequence[Wish | DomainError], *, invite_unknown: bool
) -> tuple[dict[int, Result], dict[int, tuple[Account, Wish]], dict[int, Wish]]:
    """Return, by place, the items that are refused already, those with a learner, and those to be invited."""
    accounts = bulk.find_accounts(wish for wish in wishes if isinstance(wish, Wish))
    refused: dict[int, Result] = {}
    found: dict[int, tuple[Account, Wish]] = {}
    unknown: dict[int, Wish] = {}
    for place, wish in enumerate(wishes):
        try:
            if isinstance(wish, DomainError):
                raise wish
            is_to_be_invited = invite_unknown and accounts.is_unknown_address(wish)
            user = None if is_to_be_invited else accounts.of(wish)
            if wish.flaw is not None:
                raise wish.flaw
        except DomainError as exc:
            refused[place] = exc
            continue
        if user is None:
            unknown[place] = wish
        else:
            found[place] = (user, wish)
    return refused, found, unknown


def _enroll_one_by_one(wishes: Sequence[tuple[Account, Wish]], *, force: bool, dry_run: bool) -> list[Result]:
    """Apply the items by single requests: who else stores or decides is asked as ever."""
    with transaction.atomic():
        results = [_requested(user.get_username(), wish, force=force) for user, wish in wishes]
        if dry_run:
            transaction.set_rollback(True)
    return results


def _requested(username: str, wish: Wish, *, force: bool) -> Result:
    try:
        before = ports.data_api().get_course_enrollment(username, wish.course_id)
        after = request_enrollment(
            username,
            wish.course_id,
            mode=wish.mode,
            is_active=wish.is_active,
            enrollment_attributes=wish.attributes,
            privileged=True,
            force_enrollment=force,
        )
    except DomainError as exc:
        return exc
    return Done(_state(before), _state(after))


def _state(enrollment: EnrollmentDict | None) -> Stored | None:
    # A backend may answer with other keys than ours; then its states are not told.
    if enrollment is None or "mode" not in enrollment or "is_active" not in enrollment:
        return None
    return Stored(enrollment["mode"], is_active=enrollment["is_active"])


def _can_undo() -> bool:
    return ports.enrollments_are_local() or getattr(ports.data_api(), "atomic", None) is transaction.atomic


def _outcome(result: Result) -> BulkOutcome:
    if isinstance(result, DomainError):
        error: ItemErrorDict = {"error_code": result.code, "message": str(result)}
        return {"before": None, "after": None, "invited": False, "error": error}
    return {
        "before": _state_dict(result.before),
        "after": _state_dict(result.after),
        "invited": result.is_invited,
        "error": None,
    }


def _state_dict(state: Stored | None) -> StateDict | None:
    return None if state is None else {"mode": state.mode, "is_active": state.is_active}
