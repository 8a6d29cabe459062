"""Everything that others may call: courses, requirements and eligibility, providers and requests, retirement.

Nothing here checks permissions, and nothing here knows HTTP or sends mail: who may do what is for views to say, and
what follows from a fact is for receivers of the events.
"""

from credit.api.callbacks import accept_callback, note_refused_callback, purge_callback_log
from credit.api.courses import (
    create_credit_course,
    get_credit_course_row,
    list_credit_courses,
    put_credit_course,
    update_credit_course,
)
from credit.api.eligibility import (
    get_credit_requirement_status,
    get_credit_requirement_statuses,
    get_credit_requirements,
    get_eligibilities_for_user,
    is_credit_course,
    is_user_eligible_for_credit,
    list_eligibilities,
    remove_credit_requirement_status,
    set_credit_requirement_status,
    set_credit_requirements,
    set_requirement_status,
)
from credit.api.exam_attempts import (
    forget_exam_completion,
    record_exam_completion,
    reset_exam_status,
    set_exam_status,
)
from credit.api.figures import count_owed_mails, get_credit_figures
from credit.api.grades import record_grade
from credit.api.learner_overview import get_learner_course, get_learner_courses, get_providers_to_ask
from credit.api.provider import (
    check_keys_exist,
    create_credit_request,
    get_credit_provider_info,
    get_credit_providers,
    get_credit_request_status,
    get_credit_requests_for_user,
    get_provider,
    list_providers,
    record_provider_decision,
    update_credit_request_status,
)
from credit.api.publication import note_publication, refresh_credit_requirements, refresh_due_requirements
from credit.api.retirement import retire_credit_user
from credit.api.staff import (
    add_eligibility,
    extend_eligibility_deadline,
    re_evaluate_eligibility,
    remove_eligibility,
    resend_eligibility_mail,
)
from credit.api.summaries import (
    get_credit_dashboard,
    get_credit_progress,
    get_credit_progress_by_course,
    get_providers_by_course,
    is_deadline_urgent,
)

__all__ = [
    "accept_callback",
    "add_eligibility",
    "check_keys_exist",
    "count_owed_mails",
    "create_credit_course",
    "create_credit_request",
    "extend_eligibility_deadline",
    "forget_exam_completion",
    "get_credit_course_row",
    "get_credit_dashboard",
    "get_credit_figures",
    "get_credit_progress",
    "get_credit_progress_by_course",
    "get_credit_provider_info",
    "get_credit_providers",
    "get_credit_request_status",
    "get_credit_requests_for_user",
    "get_credit_requirement_status",
    "get_credit_requirement_statuses",
    "get_credit_requirements",
    "get_eligibilities_for_user",
    "get_learner_course",
    "get_learner_courses",
    "get_provider",
    "get_providers_by_course",
    "get_providers_to_ask",
    "is_credit_course",
    "is_deadline_urgent",
    "is_user_eligible_for_credit",
    "list_credit_courses",
    "list_eligibilities",
    "list_providers",
    "note_publication",
    "note_refused_callback",
    "purge_callback_log",
    "put_credit_course",
    "re_evaluate_eligibility",
    "record_exam_completion",
    "record_grade",
    "record_provider_decision",
    "refresh_credit_requirements",
    "refresh_due_requirements",
    "remove_credit_requirement_status",
    "remove_eligibility",
    "resend_eligibility_mail",
    "reset_exam_status",
    "retire_credit_user",
    "set_credit_requirement_status",
    "set_credit_requirements",
    "set_exam_status",
    "set_requirement_status",
    "update_credit_course",
    "update_credit_request_status",
]
