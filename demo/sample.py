"""The people, universities and course of the sample site, with secrets that are new in every run. Knows no Django."""

import json
from functools import partial
from pathlib import Path
from secrets import token_urlsafe

import attrs

COURSE_KEY = "course-v1:NorthlakeX+Chem101+2026"
COURSE_NAME = "Chemistry for everybody"
MINIMUM_GRADE = 0.7
EXAM_ID = "block-v1:NorthlakeX+Chem101+2026+type@sequential+block@final_exam"
EXAM_NAME = "Final exam"
GRADE_NAME = "Minimum grade"


@attrs.frozen
class Account:
    """Somebody with a password for pages and an OAuth application for programs."""

    username: str
    first_name: str
    last_name: str
    country: str = ""
    is_staff: bool = False
    password: str = attrs.field(factory=partial(token_urlsafe, 9), repr=False)
    client_secret: str = attrs.field(factory=partial(token_urlsafe, 18), repr=False)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        return f"{self.username}@example.org"

    @property
    def client_id(self) -> str:
        return f"{self.username}-client"


@attrs.frozen
class University:
    """A credit provider, played by the sandbox."""

    provider_id: str
    name: str
    short_name: str
    message: str
    key: str = attrs.field(factory=partial(token_urlsafe, 24), repr=False)


@attrs.frozen
class Sample:
    """Everything that the sample site starts with."""

    registrar: Account
    learners: list[Account]
    universities: list[University]
    sandbox_url: str

    @property
    def accounts(self) -> list[Account]:
        return [self.registrar, *self.learners]

    @property
    def keys(self) -> dict[str, str]:
        """The setting `CREDIT_PROVIDER_SECRET_KEYS`."""
        return {university.provider_id: university.key for university in self.universities}

    def address_of(self, university: University) -> str:
        return f"{self.sandbox_url}/{university.provider_id}/"

    def write(self, path: Path) -> None:
        """Keep the sample for `read`, in a file for its owner alone."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(attrs.asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Sample":
        values = json.loads(path.read_text())
        return cls(
            registrar=Account(**values["registrar"]),
            learners=[Account(**account) for account in values["learners"]],
            universities=[University(**university) for university in values["universities"]],
            sandbox_url=values["sandbox_url"],
        )


def new_sample(sandbox_url: str) -> Sample:
    """Return a sample with fresh secrets, its universities at the sandbox."""
    return Sample(
        registrar=Account("registrar", "Renée", "Registrar", is_staff=True),
        learners=[
            Account("amara", "Amara", "Okafor", country="NG"),
            Account("bruno", "Bruno", "Keller", country="CH"),
            Account("chiara", "Chiara", "Rossi", country="IT"),
        ],
        universities=[
            University(
                "northlake",
                "Northlake University",
                "Northlake",
                "<p>Northlake counts this course as <b>3 credits</b>.</p>",
            ),
            University("st-columba", "St Columba College", "St Columba", "St Columba decides within two weeks."),
        ],
        sandbox_url=sandbox_url,
    )
