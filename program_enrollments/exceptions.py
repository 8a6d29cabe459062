"""Named errors of the program enrollments app (program enrollments contract 4)."""

from typing import Any

from coursecredit.errors import DomainError, Invalid, NotFound


class ProgramDoesNotExistException(NotFound):
    """The catalog has no such program."""

    code = "program_does_not_exist"

    def __init__(self, program_uuid: Any) -> None:
        """Take the program that was asked for."""
        super().__init__(f"The catalog has no program {program_uuid}.")
        self.program_uuid = program_uuid


class InvalidStudentKey(Invalid, ValueError):
    """A student key is text of 1 to 255 characters, blanks around it not counted."""

    code = "invalid_student_key"


class OrganizationDoesNotExistException(DomainError):
    """The organization that owns the program is not known."""

    code = "organization_does_not_exist"


class ProgramHasNoAuthoringOrganizationException(OrganizationDoesNotExistException):
    """The program names no organization as its owner."""

    def __init__(self, program_uuid: Any) -> None:
        """Take the program that was asked for."""
        super().__init__(f"The program {program_uuid} has no authoring organization.")
        self.program_uuid = program_uuid


class BadOrganizationShortNameException(OrganizationDoesNotExistException):
    """There is no organization of this short name."""

    def __init__(self, short_name: str) -> None:
        """Take the short name that was asked for."""
        super().__init__(f"There is no organization with the short name {short_name!r}.")
        self.short_name = short_name


class ProviderDoesNotExistException(DomainError):
    """The organization has no identity provider in use."""

    code = "provider_does_not_exist"

    def __init__(self, organization: str) -> None:
        """Take the organization's short name."""
        super().__init__(f"The organization {organization!r} has no identity provider in use.")
        self.organization = organization
