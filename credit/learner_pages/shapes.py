"""What the templates show. Texts are in the language of the request for which they are made."""

from datetime import datetime
from enum import IntEnum

import attrs
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import ngettext


class Rank(IntEnum):
    """Where a course stands in the list: what the learner has to act on comes first."""

    TO_ASK = 1
    UNDER_WAY = 2
    WAITING = 3
    OVER = 4


@attrs.frozen
class Badge:
    """A state in one or two words. The tone is a class of the stylesheet, and never all that tells states apart."""

    text: str
    tone: str


@attrs.frozen
class Deadline:
    """Until when credit can be asked for, or could be."""

    text: str
    moment: datetime
    is_urgent: bool = False


@attrs.frozen
class Requirement:
    """One thing to do for credit, and whether it is done."""

    title: str
    condition: str
    badge: Badge
    note: str
    moment: datetime | None
    is_met: bool


@attrs.frozen
class Asked:
    """A request, as far as it has come; `moment` is when it was last sent."""

    provider_id: str
    provider_name: str
    badge: Badge
    is_decided: bool
    moment: datetime | None


@attrs.frozen
class Card:
    """A course in the list, and at the head of its own page; `rank` puts first what learners have to act on."""

    name: str
    key: str
    badge: Badge
    message: str
    deadline: Deadline | None
    requirements: list[Requirement]
    requests: list[Asked]
    rank: Rank

    @property
    def met(self) -> int:
        return len(self.requirements) - len(self.missing)

    @property
    def total(self) -> int:
        return len(self.requirements)

    @property
    def missing(self) -> list[Requirement]:
        return [requirement for requirement in self.requirements if not requirement.is_met]

    @property
    def is_under_way(self) -> bool:
        """Whether what is missing still keeps the learner from credit."""
        return self.rank == Rank.UNDER_WAY

    @property
    def progress(self) -> str:
        text = ngettext("{met} of {total} requirement met", "{met} of {total} requirements met", self.total)
        return text.format(met=number_format(self.met), total=number_format(self.total))


@attrs.frozen
class Provider:
    """A university on the page of a course. `action` is what the learner can do: a word of `presentation.Action`."""

    id: str
    name: str
    logo: str
    description: SafeString
    instructions: SafeString
    status_url: str
    url: str
    asked: Asked | None
    action: str


@attrs.frozen
class CoursePage:
    """Everything about one course; `seller_unknown` if nobody knows from whom the learner bought its credit."""

    card: Card
    providers: list[Provider]
    is_eligible: bool
    seller_unknown: bool


@attrs.frozen
class HandOver:
    """The form that the learner's browser carries to a university; `told` is what it says, for the learner to read."""

    provider_name: str
    url: str
    method: str
    fields: list[tuple[str, str]]
    told: list[tuple[str, str]]
