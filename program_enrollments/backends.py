"""What the ports are on a site that has nothing else: this app's own tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from program_enrollments.models import (
    CatalogCourseRun,
    ExternalIdentity,
    IdentityProvider,
    Organization,
    Program,
    ProgramOrganization,
)
from program_enrollments.ports import OrganizationFacts, ProgramFacts, ProviderFacts
from program_enrollments.querysets import ProgramQuerySet
from program_enrollments.student_keys import folded
from program_enrollments.types import Account


class LocalCatalog:
    """Programs in this app's tables. A program costs one statement, its runs two, and one more for each nesting."""

    def program(self, uuid: UUID) -> ProgramFacts | None:
        return next(iter(self.programs([uuid])), None)

    def programs(self, uuids: Collection[UUID]) -> list[ProgramFacts]:
        return _facts(Program.objects.filter(pk__in=uuids))

    def programs_with_run(self, course_key: str) -> list[ProgramFacts]:
        found = {program.uuid: program for program in _facts(Program.objects.that_list(course_key))}
        newest = list(found)
        while newest:  # programs that were seen are not looked at again, so a cycle ends
            around = [each for each in _facts(Program.objects.around(newest)) if each.uuid not in found]
            found |= {program.uuid: program for program in around}
            newest = [program.uuid for program in around]
        return list(found.values())

    def programs_of_type(self, program_type: str, site: Any = None) -> list[ProgramFacts]:
        return _facts(Program.objects.of_type(program_type))

    def program_uuids_of_org(self, organization: str) -> list[UUID]:
        rows = ProgramOrganization.objects.filter(organization__short_name=organization)
        return list(rows.order_by("program").values_list("program", flat=True).distinct())

    def run_keys(self, program: ProgramFacts) -> set[str]:
        programs = {program.uuid}
        newest = {program.uuid}
        while newest:  # as above
            nested = set(Program.objects.nested_in(newest).order_by().values_list("pk", flat=True))
            newest = nested - programs
            programs |= newest
        runs = CatalogCourseRun.objects.listed_by(programs)
        return {str(key) for key in runs.order_by().values_list("key", flat=True)}


class LocalOrganizations:
    """Institutions in this app's tables."""

    def by_short_name(self, short_name: str) -> OrganizationFacts | None:
        row = Organization.objects.filter(short_name=short_name).first()
        return None if row is None else OrganizationFacts(short_name=row.short_name, name=row.name)

    def providers(self, organization: OrganizationFacts) -> Sequence[ProviderFacts]:
        rows = IdentityProvider.objects.filter(organization__short_name=organization.short_name, enabled=True)
        return [ProviderFacts(slug=row.slug, backend_name=row.backend_name) for row in rows.order_by("pk")]


class LocalIdentities:
    """Identities in this app's tables."""

    def users_for_keys(self, provider: ProviderFacts, keys: Iterable[str]) -> Mapping[str, Account]:
        asked = list(keys)
        rows = ExternalIdentity.objects.filter(provider__slug=provider.slug).of_students(asked).select_related("user")
        users: dict[str, Account] = {row.external_key_folded: row.user for row in rows}
        return {key: users[folded(key)] for key in asked if folded(key) in users}


def _facts(programs: ProgramQuerySet) -> list[ProgramFacts]:
    return [
        ProgramFacts(
            uuid=row.uuid,
            title=row.title,
            type=row.type,
            marketing_slug=row.marketing_slug,
            owner=row.owner,
            has_active_curriculum=row.has_active_curriculum,
        )
        for row in programs.with_facts()
    ]
