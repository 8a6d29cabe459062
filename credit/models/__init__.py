"""Tables of the credit app.

Rows of learners are linked by username, not by a foreign key: they outlive the account. Everything that names a
learner is listed in `credit.api.retire_credit_user`.
"""

from credit.choices import CREDIT_PROVIDER_ID_REGEX
from credit.models.audit import CreditAudit
from credit.models.callbacks import CallbackLog
from credit.models.config import CreditConfig
from credit.models.courses import CreditCourse, CreditCourseProvider
from credit.models.eligibility import CreditEligibility, default_deadline_for_credit_eligibility
from credit.models.exams import CourseExam, ExamAttempt
from credit.models.learners import LearnerRow
from credit.models.providers import CreditProvider
from credit.models.requests import CreditRequest, new_request_uuid
from credit.models.requirements import CreditRequirement, CreditRequirementStatus

__all__ = [
    "CREDIT_PROVIDER_ID_REGEX",
    "CallbackLog",
    "CourseExam",
    "CreditAudit",
    "CreditConfig",
    "CreditCourse",
    "CreditCourseProvider",
    "CreditEligibility",
    "CreditProvider",
    "CreditRequest",
    "CreditRequirement",
    "CreditRequirementStatus",
    "ExamAttempt",
    "LearnerRow",
    "default_deadline_for_credit_eligibility",
    "new_request_uuid",
]
