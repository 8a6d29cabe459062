"""Removing a learner from this app's tables."""

from coursecredit.transactions import retried_atomic
from credit import ports
from credit.models import CreditAudit, CreditEligibility, CreditRequest, CreditRequirementStatus, ExamAttempt
from credit.types import Retirement


@retried_atomic
def retire_credit_user(retirement: Retirement) -> dict[str, int]:
    """Replace a learner's name in every row, and forget what the rows hold about them; all or nothing.

    A provider's late answer to a pending request still finds it, and stores only the decision.

    Returns:
        How many rows of each kind named the learner; zeros the second time.
    """
    # Holds off changes for this learner that are under way under the old name.
    ports.learners().by_username(retirement.original_username, lock=True)
    return {
        "requests": CreditRequest.anonymise(retirement),
        "requirement_statuses": CreditRequirementStatus.anonymise(retirement),
        "eligibilities": CreditEligibility.anonymise(retirement),
        "exam_attempts": ExamAttempt.anonymise(retirement),
        "audit": CreditAudit.objects.anonymise(retirement.original_username, retirement.retired_username),
    }
