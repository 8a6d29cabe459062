"""Removing a person: the one way in, and what this app's own tables forget (credit contract 11)."""

import logging
from collections.abc import Collection
from functools import partial

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from coursecredit.transactions import retried_atomic
from enrollment import ports
from enrollment.api.enrollments import get_enrollments, unenroll_user_from_all_courses
from enrollment.api.roles import revoke_all_course_roles
from enrollment.api.storage import in_one_transaction
from enrollment.choices import RetirementState
from enrollment.errors import RetiredNameInUse, RetirementMissing, RetirementNotInProgress, UserNotFoundError
from enrollment.models import (
    CourseCertificate,
    CourseEnrollment,
    CourseEnrollmentAllowed,
    CourseEnrollmentAttribute,
    CourseGrade,
    EmailOptIn,
    LearnerProfile,
    ManualEnrollmentAudit,
    RetirementRequest,
)
from enrollment.signals import USER_RETIRED
from enrollment.staff_log import forget_in_staff_log
from enrollment.types import Account
from events.api import forget_subject

log = logging.getLogger(__name__)


@in_one_transaction
def unenroll_retiring_user(username: str) -> Collection[str]:
    """End every active enrollment of an account that is being removed, all or none; no hook is asked.

    Returns:
        The organisations of all the learner's courses, each once; none if no enrollment was active, so also the
        second time.

    Raises:
        RetirementMissing: nobody has asked for the removal, or the account does not exist.
        RetirementNotInProgress: it has not begun, has failed, or is over.
    """
    try:
        ports.retirements().require_actionable(username)
    except ports.RetirementNotFound as exc:
        raise RetirementMissing from exc
    except ports.RetirementNotActionable as exc:
        raise RetirementNotInProgress from exc
    users = get_user_model()._default_manager
    account = users.select_for_update().filter(**{get_user_model().USERNAME_FIELD: username}).first()
    if account is None:
        raise RetirementMissing
    # Of our own rows also those whose course is gone count, which a list leaves out.
    if not (CourseEnrollment.objects.filter(user=account).active().exists() or get_enrollments(username)):
        return []
    return unenroll_user_from_all_courses(username)


@retried_atomic
def retire_user(user: Account, *, retired_username: str) -> dict[str, int]:
    """Remove a person from this site, all or nothing: every app forgets what it holds, audit and history included.

    Enrollments end and stay, without attributes; so does the account, which nobody can use and which names nobody.
    Rows that know people by name, such as credit requests, take `retired_username`, and the account a name of its own:
    to others the person is gone, and a university's late decision is stored without being announced.

    Not ours to delete are what has reached the event bus, files of jobs, which are purged after 30 days, logs and
    backups. A write for the same person at the same moment happens before, or finds nobody.

    Args:
        user: the account; what the database says of it counts.
        retired_username: a name that no account has, and none will have, and no other person who was removed.

    Returns:
        How many things of each kind were forgotten; zeros the second time.

    Raises:
        UserNotFoundError: the account has been deleted.
        RetiredNameInUse: some account has that name.
    """
    users = get_user_model()._default_manager
    account = users.select_for_update().filter(pk=user.pk).first()
    if account is None:
        raise UserNotFoundError
    if users.filter(**{account.USERNAME_FIELD: retired_username}).exists():
        raise RetiredNameInUse
    username = account.get_username()
    active = CourseEnrollment.objects.filter(user=account).active().count()
    unenroll_user_from_all_courses(username)
    names = [username, account.email, account.get_full_name(), ports.profiles().full_name(account)]

    # Not robustly: a person is forgotten everywhere, or the caller hears of it.
    USER_RETIRED.send(sender=None, user=account, original_username=username, retired_username=retired_username)
    counts = {
        "enrollments": active,
        **_forget_rows(account, retired_username),
        "staff_log": forget_in_staff_log(names, retired_username),
        "account": int(ports.accounts().retire(account)),
    }
    forget_subject(account.pk)
    transaction.on_commit(partial(log.info, "User %s has been retired.", account.pk))
    return counts


def _forget_rows(account: Account, retired_username: str) -> dict[str, int]:
    username = account.get_username()
    return {
        "attributes": CourseEnrollmentAttribute.objects.filter(enrollment__user=account).delete()[0],
        "invitations": CourseEnrollmentAllowed.objects.retire_learner(account),
        "manual_audits": ManualEnrollmentAudit.objects.retire_learner(account),
        "roles": revoke_all_course_roles(account),
        "profiles": LearnerProfile.objects.filter(user=account).delete()[0],
        "opt_ins": EmailOptIn.objects.filter(user=account).delete()[0],
        "grades": CourseGrade.objects.filter(user=account).delete()[0],
        "certificates": CourseCertificate.objects.filter(user=account).delete()[0],
        "retirement_requests": RetirementRequest.objects.filter(username=username).update(
            username=retired_username, state=RetirementState.COMPLETE, modified=timezone.now()
        ),
    }
