"""Tables of the program enrollments app, by subject."""

from program_enrollments.models.catalog import (
    CatalogCourse,
    CatalogCourseRun,
    Curriculum,
    CurriculumCourse,
    CurriculumProgram,
    Program,
    ProgramCourse,
    ProgramOrganization,
)
from program_enrollments.models.enrollments import (
    CourseAccessRoleAssignment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.models.organizations import ExternalIdentity, IdentityProvider, Organization

__all__ = [
    "CatalogCourse",
    "CatalogCourseRun",
    "CourseAccessRoleAssignment",
    "Curriculum",
    "CurriculumCourse",
    "CurriculumProgram",
    "ExternalIdentity",
    "IdentityProvider",
    "Organization",
    "Program",
    "ProgramCourse",
    "ProgramCourseEnrollment",
    "ProgramEnrollment",
    "ProgramOrganization",
]
