"""The one door to the enrollment app (enrollment contract 7).

Functions take usernames and course keys (as such or as text) and answer plain values, which the data backend named by
`ENROLLMENT_DATA_API` makes. Permissions are the caller's business.
"""

from enrollment.api.accounts import find_embargo, get_account, get_account_by_email, get_enrollments_seen_by
from enrollment.api.attributes import get_enrollment_attributes, set_enrollment_attributes
from enrollment.api.bulk import enroll_in_bulk
from enrollment.api.by_hand import change_enrollment_by_hand
from enrollment.api.courses import (
    get_course_enrollment_details,
    set_default_upgrade_deadline,
    validate_course_mode,
)
from enrollment.api.enrollments import (
    add_enrollment,
    get_enrollment,
    get_enrollments,
    get_user_roles,
    get_verified_enrollments,
    is_enrollment_valid_for_proctoring,
    serialize_enrollments,
    unenroll_user_from_all_courses,
    update_enrollment,
)
from enrollment.api.facts import (
    get_attribute_values,
    get_course_facts,
    get_course_facts_by_id,
    get_enrollment_state,
    get_enrollment_states,
    get_profile,
)
from enrollment.api.invitations import create_invitation, delete_invitation, list_invitations
from enrollment.api.jobs import (
    cancel_job,
    get_job,
    get_job_figures,
    job_dict,
    list_jobs,
    open_input,
    open_result,
    purge_jobs,
    start_job,
)
from enrollment.api.listing import Cursor, EnrollmentPage, find_enrollments, list_enrollments, listed_enrollment
from enrollment.api.requests import ask_pre_enroll_hooks, request_enrollment
from enrollment.api.results import record_course_certificate, record_course_grade
from enrollment.api.retirement import retire_user, unenroll_retiring_user
from enrollment.api.roles import grant_course_role, revoke_course_role
from enrollment.ports import data_api

_data_api = data_api  # the names under which older callers know them
_validate_course_mode = validate_course_mode

__all__ = [
    "Cursor",
    "EnrollmentPage",
    "add_enrollment",
    "ask_pre_enroll_hooks",
    "cancel_job",
    "change_enrollment_by_hand",
    "create_invitation",
    "delete_invitation",
    "enroll_in_bulk",
    "find_embargo",
    "find_enrollments",
    "get_account",
    "get_account_by_email",
    "get_attribute_values",
    "get_course_enrollment_details",
    "get_course_facts",
    "get_course_facts_by_id",
    "get_enrollment",
    "get_enrollment_attributes",
    "get_enrollment_state",
    "get_enrollment_states",
    "get_enrollments",
    "get_enrollments_seen_by",
    "get_job",
    "get_job_figures",
    "get_profile",
    "get_user_roles",
    "get_verified_enrollments",
    "grant_course_role",
    "is_enrollment_valid_for_proctoring",
    "job_dict",
    "list_enrollments",
    "list_invitations",
    "list_jobs",
    "listed_enrollment",
    "open_input",
    "open_result",
    "purge_jobs",
    "record_course_certificate",
    "record_course_grade",
    "request_enrollment",
    "retire_user",
    "revoke_course_role",
    "serialize_enrollments",
    "set_default_upgrade_deadline",
    "set_enrollment_attributes",
    "start_job",
    "unenroll_retiring_user",
    "unenroll_user_from_all_courses",
    "update_enrollment",
    "validate_course_mode",
]
