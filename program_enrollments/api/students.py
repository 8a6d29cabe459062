"""Which accounts an institution's students have (program enrollments contract 5.1)."""

import logging
from collections.abc import Iterable
from uuid import UUID

from coursecredit.request_cache import request_cache
from program_enrollments import ports
from program_enrollments.exceptions import (
    BadOrganizationShortNameException,
    ProgramDoesNotExistException,
    ProgramHasNoAuthoringOrganizationException,
    ProviderDoesNotExistException,
)
from program_enrollments.ports import OrganizationFacts, ProviderFacts
from program_enrollments.types import Account, UuidOrText

log = logging.getLogger(__name__)
SAML_PREFIX = "saml-"


def get_users_by_external_keys(
    program_uuid: UuidOrText, external_user_keys: Iterable[str]
) -> dict[str, Account | None]:
    """Return the account of each student of the institution that owns a program, or None; by the key as it is asked.

    Raises:
        ProgramDoesNotExistException, ProgramHasNoAuthoringOrganizationException, BadOrganizationShortNameException,
        ProviderDoesNotExistException: also if no key is given.
    """
    return get_users_by_external_keys_and_org_key(external_user_keys, get_org_key_for_program(program_uuid))


def get_users_by_external_keys_and_org_key(
    external_user_keys: Iterable[str], org_key: str
) -> dict[str, Account | None]:
    """Return the account of each student of an institution, or None; by the key as it is asked.

    Where two providers know different accounts under one key, the newer provider's counts, and a warning is logged.

    Raises:
        BadOrganizationShortNameException, ProviderDoesNotExistException: also if no key is given.
    """
    keys = list(external_user_keys)
    users: dict[str, Account | None] = dict.fromkeys(keys)
    for provider in get_saml_providers_by_org_key(org_key):
        for key, user in ports.identities().users_for_keys(provider, keys).items():
            other = users[key]
            if other is not None and other.pk != user.pk:
                log.warning(
                    "Two identity providers of one institution know users %s and %s by one key; %s counts.",
                    other.pk,
                    user.pk,
                    user.pk,
                )
            users[key] = user
    return users


def get_org_key_for_program(program_uuid: UuidOrText) -> str:
    """Return the short name of the organization that owns a program: the first that the catalog names.

    Raises:
        ProgramDoesNotExistException, ProgramHasNoAuthoringOrganizationException
    """
    program = find_program(program_uuid)
    if not program.owner:
        raise ProgramHasNoAuthoringOrganizationException(program_uuid)
    return program.owner


def find_program(program_uuid: UuidOrText) -> ports.ProgramFacts:
    """Return a program of the catalog, which is asked once in a request or task.

    Raises:
        ProgramDoesNotExistException: also for what is no UUID.
    """
    try:
        uuid = program_uuid if isinstance(program_uuid, UUID) else UUID(program_uuid)
    except ValueError:
        raise ProgramDoesNotExistException(program_uuid) from None
    known = request_cache("program_enrollments.programs")
    found: ports.ProgramFacts | None = None if known is None else known.get(uuid)
    program = found or ports.catalog().program(uuid)
    if program is None:
        raise ProgramDoesNotExistException(uuid)
    if known is not None:
        known[uuid] = program
    return program


def get_saml_providers_by_org_key(org_key: str) -> list[ProviderFacts]:
    """Return the identity providers of an organization that are in use, oldest first.

    Raises:
        BadOrganizationShortNameException, ProviderDoesNotExistException
    """
    organization = ports.organizations().by_short_name(org_key)
    if organization is None:
        raise BadOrganizationShortNameException(org_key)
    return get_saml_providers_for_organization(organization)


def get_saml_providers_for_organization(organization: OrganizationFacts) -> list[ProviderFacts]:
    """Return the identity providers of an organization that are in use, oldest first.

    Raises:
        ProviderDoesNotExistException
    """
    providers = list(ports.organizations().providers(organization))
    if not providers:
        raise ProviderDoesNotExistException(organization.short_name)
    return providers


def get_provider_slug(provider: ProviderFacts) -> str:
    """Return the provider's slug as identities name it: without a leading `saml-`, which is taken off once."""
    return provider.slug.removeprefix(SAML_PREFIX)
