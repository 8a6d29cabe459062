"""One constant per `enterprise` event, named like its type."""

from events.enterprise.data import (
    EnterpriseGroup,
    LearnerCreditEnterpriseCourseEnrollment,
    LedgerTransaction,
    SubsidyRedemption,
)
from events.tooling import OpenEdxPublicSignal
from events.types import About

LMS = "the learning platform"
SUBSIDY = "the subsidy service"
ACCESS = "the enterprise access service"

SUBSIDY_REDEEMED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.subsidy.redeemed.v1",
    data={"redemption": SubsidyRedemption},
    about=About(
        "A learner used an enterprise's budget for content.",
        sender=SUBSIDY,
    ),
)

SUBSIDY_REDEMPTION_REVERSED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.subsidy.redemption-reversed.v1",
    data={"redemption": SubsidyRedemption},
    about=About(
        "That use was undone.",
        sender=SUBSIDY,
    ),
)

LEDGER_TRANSACTION_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.subsidy_ledger_transaction.created.v1",
    data={"ledger_transaction": LedgerTransaction},
    about=About(
        "An entry was made in the ledger of an enterprise's budget.",
        sender=SUBSIDY,
        key="ledger_transaction.ledger_uuid",
    ),
)

LEDGER_TRANSACTION_COMMITTED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.subsidy_ledger_transaction.committed.v1",
    data={"ledger_transaction": LedgerTransaction},
    about=About(
        "The entry became final.",
        sender=SUBSIDY,
        key="ledger_transaction.ledger_uuid",
    ),
)

LEDGER_TRANSACTION_FAILED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.subsidy_ledger_transaction.failed.v1",
    data={"ledger_transaction": LedgerTransaction},
    about=About(
        "The entry could not be made final.",
        sender=SUBSIDY,
        key="ledger_transaction.ledger_uuid",
    ),
)

LEDGER_TRANSACTION_REVERSED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.subsidy_ledger_transaction.reversed.v1",
    data={"ledger_transaction": LedgerTransaction},
    about=About(
        "The entry was given back.",
        sender=SUBSIDY,
        key="ledger_transaction.ledger_uuid",
    ),
)

LEARNER_CREDIT_COURSE_ENROLLMENT_REVOKED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.learner_credit_course_enrollment.revoked.v1",
    data={"learner_credit_course_enrollment": LearnerCreditEnterpriseCourseEnrollment},
    about=About(
        "An enrollment that an enterprise's budget had paid for was taken back.",
        sender=LMS,
        topic="learner-credit-course-enrollment-lifecycle",
        key="learner_credit_course_enrollment.uuid",
    ),
)

ENTERPRISE_GROUP_DELETED = OpenEdxPublicSignal(
    event_type="org.openedx.enterprise.enterprise_group.deleted.v1",
    data={"enterprise_group": EnterpriseGroup},
    about=About(
        "An enterprise deleted a group of its users.",
        sender=ACCESS,
        key="enterprise_group.uuid",
    ),
)
