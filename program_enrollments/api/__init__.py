"""The one door to the program enrollments app (program enrollments contract 5).

Programs are named by UUID, course runs by key, each as such or as text; students by the key of the institution that
owns the program, without regard to case. Permissions are the caller's business.
"""

from program_enrollments.api.expire import expire_waiting_enrollments
from program_enrollments.api.reading import (
    fetch_program_course_enrollments,
    fetch_program_course_enrollments_by_students,
    fetch_program_enrollments,
    fetch_program_enrollments_by_student,
    fetch_program_enrollments_by_students,
    get_external_key_by_user_and_course,
    get_program_course_enrollment,
    get_program_enrollment,
)
from program_enrollments.api.retirement import retire_student
from program_enrollments.api.students import (
    find_program,
    get_org_key_for_program,
    get_provider_slug,
    get_saml_providers_by_org_key,
    get_saml_providers_for_organization,
    get_users_by_external_keys,
    get_users_by_external_keys_and_org_key,
)
from program_enrollments.api.writing import (
    change_program_enrollment_status,
    create_program_enrollment,
    write_program_enrollments,
)

__all__ = [
    "change_program_enrollment_status",
    "create_program_enrollment",
    "expire_waiting_enrollments",
    "fetch_program_course_enrollments",
    "fetch_program_course_enrollments_by_students",
    "fetch_program_enrollments",
    "fetch_program_enrollments_by_student",
    "fetch_program_enrollments_by_students",
    "find_program",
    "get_external_key_by_user_and_course",
    "get_org_key_for_program",
    "get_program_course_enrollment",
    "get_program_enrollment",
    "get_provider_slug",
    "get_saml_providers_by_org_key",
    "get_saml_providers_for_organization",
    "get_users_by_external_keys",
    "get_users_by_external_keys_and_org_key",
    "retire_student",
    "write_program_enrollments",
]
