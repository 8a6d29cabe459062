"""The local catalog answers as the contract says what a program is made of (contract 2.4, 14)."""

from uuid import uuid4

import pytest

from program_enrollments import ports
from program_enrollments.models import (
    CatalogCourse,
    CurriculumCourse,
    CurriculumProgram,
    ProgramCourse,
    ProgramOrganization,
)
from tests.program_enrollments.factories import (
    CatalogCourseRunFactory,
    CurriculumFactory,
    IdentityProviderFactory,
    OrganizationFactory,
    ProgramFactory,
)
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("program_enrollments.catalog")]

ALGO, LOGIC, MAGIC = (f"course-v1:HogwartsX+{name}+2026" for name in ("Algo", "Logic", "Magic"))


def facts(program):
    found = ports.catalog().program(program.uuid)
    assert found is not None
    return found


def runs(program):
    return ports.catalog().run_keys(facts(program))


def nest(inner, outer):
    CurriculumProgram.objects.create(curriculum=outer.curricula.first(), program=inner)


def test_a_program_is_told_with_its_owner():
    program = ProgramFactory(title="Magic", type="MicroMasters", marketing_slug="magic")
    ProgramOrganization.objects.create(program=program, organization=OrganizationFactory(short_name="Late"), position=5)
    assert facts(program) == ports.ProgramFacts(
        uuid=program.uuid,
        title="Magic",
        type="MicroMasters",
        marketing_slug="magic",
        owner="HogwartsX",
        has_active_curriculum=True,
    )


def test_a_program_may_have_neither_owner_nor_active_curriculum():
    program = ProgramFactory()
    program.authoring.all().delete()
    program.curricula.update(is_active=False)
    assert (facts(program).owner, facts(program).has_active_curriculum) == (None, False)


def test_what_is_unknown_is_left_out():
    catalog, known = ports.catalog(), ProgramFactory()
    assert catalog.program(uuid4()) is None
    assert [program.uuid for program in catalog.programs([uuid4(), known.uuid])] == [known.uuid]
    assert catalog.programs_with_run(ALGO) == []
    assert catalog.program_uuids_of_org("Nobody") == []


@pytest.mark.parametrize("asked", ["masters", "MASTERS", "Masters"])
def test_types_compare_without_case(asked):
    program = ProgramFactory(type="Masters")
    ProgramFactory(type="MicroMasters")
    assert [each.uuid for each in ports.catalog().programs_of_type(asked)] == [program.uuid]


def test_programs_of_an_organization_need_not_be_owned_by_it():
    program = ProgramFactory()
    guest = OrganizationFactory(short_name="Guest")
    ProgramOrganization.objects.create(program=program, organization=guest, position=1)
    assert ports.catalog().program_uuids_of_org("Guest") == [program.uuid]


def test_runs_come_from_the_first_active_curriculum_and_from_beside():
    program = ProgramFactory(runs=[ALGO])
    program.curricula.update(position=2)
    for position, is_active, _key in ((1, False, LOGIC), (3, True, LOGIC)):
        curriculum = CurriculumFactory(program=program, position=position, is_active=is_active)
        course, _ = CatalogCourse.objects.get_or_create(key="HogwartsX+Logic")
        CurriculumCourse.objects.create(curriculum=curriculum, course=course)
    CatalogCourseRunFactory(key=LOGIC, course=course)
    assert runs(program) == {ALGO}
    ProgramCourse.objects.create(program=program, course=CatalogCourseRunFactory(key=MAGIC).course)
    assert runs(program) == {ALGO, MAGIC}
    program.curricula.update(is_active=False)
    assert runs(program) == {MAGIC}


def test_runs_of_nested_programs_count_and_cycles_end():
    outer, middle, inner = (ProgramFactory(runs=[key]) for key in (ALGO, LOGIC, MAGIC))
    nest(middle, outer)
    nest(inner, middle)
    nest(outer, inner)
    assert runs(outer) == runs(inner) == {ALGO, LOGIC, MAGIC}
    assert {program.uuid for program in ports.catalog().programs_with_run(MAGIC)} == {
        outer.uuid,
        middle.uuid,
        inner.uuid,
    }


@pytest.mark.parametrize("levels", [0, 1, 3])
def test_each_level_costs_one_statement_however_many_runs(levels):
    program = ProgramFactory(runs=[f"course-v1:HogwartsX+Many{number}+2026" for number in range(20)])
    around = program
    for _ in range(levels):
        inner = ProgramFactory(runs=[CatalogCourseRunFactory.build().key])
        nest(inner, around)
        around = inner
    found = facts(program)
    with statements() as run:
        assert len(ports.catalog().run_keys(found)) == 20 + levels
    assert len(run) == 2 + levels, run


def test_providers_in_use_come_oldest_first():
    organization = OrganizationFactory()
    old, new = IdentityProviderFactory(slug="old"), IdentityProviderFactory(slug="new")
    IdentityProviderFactory(slug="off", enabled=False)
    IdentityProviderFactory(slug="elsewhere", organization=OrganizationFactory(short_name="Other"))
    found = ports.organizations().by_short_name(organization.short_name)
    assert found is not None
    assert [provider.slug for provider in ports.organizations().providers(found)] == [old.slug, new.slug]
