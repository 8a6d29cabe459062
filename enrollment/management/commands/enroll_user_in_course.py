"""Enroll somebody in a course: `manage.py enroll_user_in_course`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coursecredit.errors import DomainError
from enrollment import api
from enrollment.errors import CourseEnrollmentExistsError


class Command(BaseCommand):
    help = (
        "Enroll the account with an e-mail address in a course, as the learner could: enrollment has to be open for "
        "them. Who is enrolled already stays so, and nothing is said. Exit status: 0 if the learner is enrolled, 1 if "
        "something is in the way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-e", "--email", required=True, help="the learner's e-mail address, in whatever case")
        parser.add_argument("-c", "--course", required=True, metavar="KEY", help="the course")
        parser.add_argument("-m", "--mode", help="the mode; without it, the one for learners who name none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = api.get_account_by_email(options["email"])
            api.add_enrollment(user.get_username(), options["course"], mode=options["mode"])
        except CourseEnrollmentExistsError:
            return
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
