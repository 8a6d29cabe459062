"""A course whose learner is owed a mail, and mails as they are on the wire."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from django.utils import timezone

from credit.models import CreditEligibility
from tests.credit.factories import CreditCourseFactory, CreditEligibilityFactory
from tests.enrollment.factories import CourseFactory, UserFactory

COURSE = "course-v1:HogwartsX+Potions101+1T2026"


def owe_mail(user=None, **row) -> CreditEligibility:
    """Add an eligibility as the rules do: its mail is due."""
    user = user or UserFactory(username="ron", email="ron@example.com", first_name="Ron", last_name="Weasley")
    course = CreditCourseFactory(course_key=COURSE)
    return CreditEligibilityFactory(
        **{"username": user.username, "course": course, "email_due_at": timezone.now(), **row}
    )


def name_course(display_name: str) -> None:
    CourseFactory(id=COURSE, display_name=display_name)


@dataclass(frozen=True)
class WireMail:
    """A mail as its receiver parses it."""

    root: EmailMessage

    @classmethod
    def parse(cls, content: bytes) -> "WireMail":
        return cls(message_from_bytes(content, policy=policy.default))

    @property
    def types(self) -> list[str]:
        return [part.get_content_type() for part in self.root.walk()]

    @property
    def text(self) -> str:
        return self._content("text/plain")

    @property
    def html(self) -> str:
        return self._content("text/html")

    @property
    def image(self) -> EmailMessage:
        [image] = [part for part in self.root.walk() if part.get_content_maintype() == "image"]
        return image

    def _content(self, content_type: str) -> str:
        [part] = [part for part in self.root.walk() if part.get_content_type() == content_type]
        assert part.get_content_charset() == "utf-8"
        return part.get_content()
