"""What this app needs from its surroundings (program enrollments contract 14), each with its accessor.

A host names its own classes in `PROGRAM_ENROLLMENTS["PORTS"]`, by the name of the protocol;
`program_enrollments.backends` has the defaults. A class is made without arguments whenever it is used. Questions are
asked for many at once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast
from uuid import UUID

from attrs import frozen

from coursecredit.backends import load_port
from program_enrollments.conf import SETTING, conf
from program_enrollments.types import Account

DEFAULTS = {
    "CatalogPort": "program_enrollments.backends.LocalCatalog",
    "OrganizationPort": "program_enrollments.backends.LocalOrganizations",
    "IdentityPort": "program_enrollments.backends.LocalIdentities",
}


@frozen
class ProgramFacts:
    """A program, as far as this app needs it."""

    uuid: UUID
    title: str
    type: str
    """Such as `Masters`; compared without regard to case."""
    marketing_slug: str
    owner: str | None
    """Short name of the first authoring organization; None or empty if the catalog names none."""
    has_active_curriculum: bool


@frozen
class OrganizationFacts:
    """An institution."""

    short_name: str
    name: str


@frozen
class ProviderFacts:
    """A way to sign on that tells an institution's keys."""

    slug: str
    backend_name: str


class CatalogPort(Protocol):
    """Programs, and the course runs in them. What is unknown is left out; nothing raises for it."""

    def program(self, uuid: UUID) -> ProgramFacts | None:
        """Return the program, or None."""

    def programs(self, uuids: Collection[UUID]) -> list[ProgramFacts]:
        """Return those of these programs that exist."""

    def programs_with_run(self, course_key: str) -> list[ProgramFacts]:
        """Return the programs that list the run, nested programs and the ones around them included."""

    def programs_of_type(self, program_type: str, site: Any = None) -> list[ProgramFacts]:
        """Return the programs of a type, whose case does not matter.

        Args:
            program_type: such as `masters`.
            site: the site of the request, for catalogs that serve several.
        """

    def program_uuids_of_org(self, organization: str) -> list[UUID]:
        """Return the programs that an organization has a part in."""

    def run_keys(self, program: ProgramFacts) -> set[str]:
        """Return the course keys of a program's runs: of its first active curriculum, listed beside, and nested."""


class OrganizationPort(Protocol):
    """Institutions."""

    def by_short_name(self, short_name: str) -> OrganizationFacts | None:
        """Return the organization, or None."""

    def providers(self, organization: OrganizationFacts) -> Sequence[ProviderFacts]:
        """Return the identity providers that are in use, oldest first; several are allowed."""


class IdentityPort(Protocol):
    """Who signed on through which provider, under which key."""

    def users_for_keys(self, provider: ProviderFacts, keys: Iterable[str]) -> Mapping[str, Account]:
        """Return the accounts of those keys that have one, by the key as it is asked; case does not matter."""


def catalog() -> CatalogPort:
    return cast(CatalogPort, _port("CatalogPort"))


def organizations() -> OrganizationPort:
    return cast(OrganizationPort, _port("OrganizationPort"))


def identities() -> IdentityPort:
    return cast(IdentityPort, _port("IdentityPort"))


def load_all() -> None:
    """Make every port once.

    Raises:
        ImproperlyConfigured: `PROGRAM_ENROLLMENTS["PORTS"]` names something that does not exist.
    """
    for name in DEFAULTS:
        _port(name)


def _port(name: str) -> Any:
    return load_port(name, configured=conf.PORTS, defaults=DEFAULTS, setting=f"{SETTING}['PORTS']")
