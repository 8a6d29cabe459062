"""Payloads of the `enterprise` events. Fields, order and defaults are the wire format: they never change.

"Learner credit" means money that an enterprise grants its learners; it has nothing to do with university credit.
"""

from datetime import datetime
from uuid import UUID

import attrs
from opaque_keys.edx.keys import CourseKey

from events.types import Nullable


@attrs.frozen(slots=False, order=True)
class EnterpriseCustomerUser:
    """A user who belongs to an enterprise.

    Attributes:
        id: primary key of the membership.
        created: when the row was made, aware.
        modified: when the row last changed, aware.
        enterprise_customer_uuid: the enterprise.
        user_id: primary key of the user.
        active: whether this is the enterprise that the user acts for.
        linked: whether the membership stands.
        is_relinkable: whether it may stand again once ended.
        should_inactivate_other_customers: whether the user's other memberships become inactive with it.
        invite_key: the invitation that was followed; None if there was none.
    """

    id: int
    created: datetime
    modified: datetime
    enterprise_customer_uuid: UUID
    user_id: int
    active: bool
    linked: bool
    is_relinkable: bool
    should_inactivate_other_customers: bool
    invite_key: Nullable[UUID] = None


@attrs.frozen(slots=False, order=True)
class EnterpriseCourseEnrollment:
    """An enrollment in a course run that an enterprise arranged.

    Attributes:
        id: primary key of the enrollment.
        created: when the row was made, aware.
        modified: when the row last changed, aware.
        enterprise_customer_user: the learner's membership.
        course_id: the run.
        saved_for_later: whether the learner put it aside.
        source_slug: how it came about; None if unknown.
        unenrolled: whether the learner has left; None if unknown.
        unenrolled_at: when the learner left, aware; None if not.
    """

    id: int
    created: datetime
    modified: datetime
    enterprise_customer_user: EnterpriseCustomerUser
    course_id: CourseKey
    saved_for_later: bool
    source_slug: Nullable[str] = None
    unenrolled: Nullable[bool] = None
    unenrolled_at: Nullable[datetime] = None


@attrs.frozen(slots=False, order=True)
class BaseEnterpriseFulfillment:
    """What an enterprise gave for an enrollment; the kinds have classes of their own.

    Attributes:
        uuid: identity of the fulfillment.
        created: when the row was made, aware.
        modified: when the row last changed, aware.
        fulfillment_type: kind of fulfillment, such as `license` or `learner_credit`.
        is_revoked: whether it was taken back.
        enterprise_course_entitlement_uuid: the entitlement that it is for; None if for an enrollment.
        enterprise_course_enrollment: the enrollment that it is for; None if not yet known.
    """

    uuid: UUID
    created: datetime
    modified: datetime
    fulfillment_type: str
    is_revoked: bool
    enterprise_course_entitlement_uuid: Nullable[UUID] = None
    enterprise_course_enrollment: Nullable[EnterpriseCourseEnrollment] = None


@attrs.frozen(slots=False, order=True)
class LearnerCreditEnterpriseCourseEnrollment(BaseEnterpriseFulfillment):
    """An enrollment that was paid from an enterprise's budget.

    Attributes:
        transaction_id: the transaction in the ledger; None if not yet known.
    """

    transaction_id: Nullable[UUID] = None


@attrs.frozen(slots=False, order=True)
class LicensedEnterpriseCourseEnrollment(BaseEnterpriseFulfillment):
    """An enrollment by a license of an enterprise.

    Attributes:
        license_uuid: the license; None if not yet known.
    """

    license_uuid: Nullable[UUID] = None


@attrs.frozen(slots=False, order=True)
class BaseLedgerTransaction:
    """An entry in the ledger of an enterprise's budget; the kinds have classes of their own.

    Attributes:
        uuid: identity of the entry.
        created: when the row was made, aware.
        modified: when the row last changed, aware.
        idempotency_key: text that keeps the same entry from being made twice.
        quantity: amount in the ledger's unit, such as US cents; negative if it was spent.
        state: state of the entry, such as `created`, `committed` or `failed`.
    """

    uuid: UUID
    created: datetime
    modified: datetime
    idempotency_key: str
    quantity: int
    state: str


@attrs.frozen(slots=False, order=True)
class LedgerTransactionReversal(BaseLedgerTransaction):
    """An entry that gives back what another entry spent."""


@attrs.frozen(slots=False, order=True)
class LedgerTransaction(BaseLedgerTransaction):
    """An entry by which a learner's enrollment was paid.

    Attributes:
        ledger_uuid: the ledger.
        subsidy_access_policy_uuid: the policy that allowed it.
        lms_user_id: primary key of the learner.
        content_key: the run that was paid for.
        parent_content_key: key of the run's course, as text; None if unknown.
        fulfillment_identifier: what was given for it, as text; None if nothing yet.
        reversal: the entry that gave it back; None if it stands.
    """

    ledger_uuid: UUID
    subsidy_access_policy_uuid: UUID
    lms_user_id: int
    content_key: CourseKey
    parent_content_key: Nullable[str] = None
    fulfillment_identifier: Nullable[str] = None
    reversal: Nullable[LedgerTransactionReversal] = None


@attrs.frozen(slots=False, order=True)
class SubsidyRedemption:
    """A learner's use of an enterprise's budget for content.

    Attributes:
        subsidy_identifier: identity of the budget.
        content_key: key of the content, as text.
        lms_user_id: primary key of the learner.
    """

    subsidy_identifier: str
    content_key: str
    lms_user_id: int


@attrs.frozen(slots=False, order=True)
class EnterpriseGroup:
    """A group of an enterprise's users.

    Attributes:
        uuid: identity of the group.
    """

    uuid: UUID
