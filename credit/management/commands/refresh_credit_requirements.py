"""Read what courses ask for, once more: `manage.py refresh_credit_requirements`."""

from typing import Any

from django.core.management.base import CommandParser
from opaque_keys.edx.keys import CourseKey

from credit import api
from credit.api.publication import requirements_of
from credit.management.base import EXIT_STATUS, ThoroughCommand

FIELDS = ("namespace", "name", "display_name", "criteria")


class Command(ThoroughCommand):
    help = (
        "Make what courses now say their requirements, as each publication does by itself. Learners' statuses stay. "
        "Who satisfies what is left becomes eligible with recompute_credit_eligibility. A second run changes nothing. "
        + EXIT_STATUS
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_course_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        courses = self.courses(options)
        do, done = (self._compare, "would change") if options["dry_run"] else (_refresh, "changed")
        self.work_through(courses, do, total=len(courses), what="courses", name=str, done=done)

    def _compare(self, course_key: CourseKey) -> bool:
        """Write what a course asks for that it did not, or not in this way or place; return whether there is any."""
        old = [_essence(requirement) for requirement in api.get_credit_requirements(course_key)]
        new = [_essence(requirement) for requirement in requirements_of(course_key)]
        if old == new:
            return False
        self.stdout.write(f"{course_key} would change:")
        for requirement in old:
            if requirement not in new:
                self.stdout.write(f"  - {requirement['namespace']} {requirement['name']} {requirement['criteria']}")
        for position, requirement in enumerate(new, start=1):
            sign = " " if requirement in old else "+"
            self.stdout.write(
                f"  {sign} {position}. {requirement['namespace']} {requirement['name']} {requirement['criteria']}"
            )
        return True


def _refresh(course_key: CourseKey) -> bool:
    old = api.get_credit_requirements(course_key)
    api.refresh_credit_requirements(course_key)
    return api.get_credit_requirements(course_key) != old


def _essence(requirement: Any) -> dict[str, Any]:
    return {field: requirement[field] for field in FIELDS}
