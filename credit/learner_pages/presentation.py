"""What the api tells, in the words of the pages."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from opaque_keys.edx.keys import CourseKey

from credit import api
from credit.choices import DECISIONS, RequestStatus
from credit.learner_pages.addresses import web_address
from credit.learner_pages.requirements import percent, requirement
from credit.learner_pages.shapes import Asked, Badge, Card, CoursePage, Deadline, HandOver, Provider, Rank
from credit.markup import as_html, isolated
from credit.types import CreditRequestDict, CreditRequestForm, LearnerCourse, ProviderDict

TONES = {RequestStatus.PENDING: "open", RequestStatus.APPROVED: "good", RequestStatus.REJECTED: "bad"}


class Action(StrEnum):
    """What a learner can do with a provider."""

    NOTHING = "nothing"
    ASK = "ask"
    ASK_AGAIN = "ask again"
    FOLLOW_LINK = "follow link"
    COME_BACK = "come back"  # it should take requests, and is not set up for them


def cards(courses: Iterable[LearnerCourse]) -> list[Card]:
    """Return the courses in the order in which learners have to act on them."""
    return sorted(map(card, courses), key=lambda one: (one.rank, one.deadline is None, _until(one), one.name, one.key))


def _until(one: Card) -> datetime:
    return one.deadline.moment if one.deadline else datetime.max.replace(tzinfo=UTC)


def card(course: LearnerCourse) -> Card:
    """Return a course with its state in a word and in a sentence."""
    requests = [_asked(request) for request in course.requests]
    rank, badge, message = _state(
        course, {request["status"]: isolated(request["provider"]["display_name"]) for request in course.requests}
    )
    return Card(
        name=course.name,
        key=str(course.course_key),
        badge=badge,
        message=message,
        deadline=_deadline(course),
        requirements=[requirement(row) for row in course.requirements],
        requests=requests,
        rank=rank,
    )


def _state(course: LearnerCourse, asked: dict[str, str]) -> tuple[Rank, Badge, str]:
    """Return the state of a course; `asked` has a provider's name by status of the learner's requests."""
    if provider := asked.get(RequestStatus.APPROVED):
        return (
            Rank.OVER,
            _badge(RequestStatus.APPROVED),
            _("{provider} has granted you credit.").format(provider=provider),
        )
    if provider := asked.get(RequestStatus.PENDING):
        waiting = _("You have asked {provider} for credit and are waiting for the decision.").format(provider=provider)
        return Rank.WAITING, _badge(RequestStatus.PENDING), waiting
    if provider := asked.get(RequestStatus.REJECTED):
        return _rejected(provider, may_ask_another=course.standing == "eligible")
    if course.standing == "eligible":
        next_step = _("You have met every requirement. The next step is to ask a university for credit.")
        return Rank.TO_ASK, Badge(_("Eligible"), "good"), next_step
    if course.deadline is not None:
        return Rank.OVER, Badge(_("Expired"), "quiet"), _("You were eligible. The time to ask for credit is over.")
    if course.standing == "not_eligible":
        return Rank.UNDER_WAY, Badge(_("Not eligible"), "bad"), _("At least one requirement has not been met.")
    if not course.requirements:
        return Rank.UNDER_WAY, Badge(_("In progress"), "quiet"), _("The requirements have not been published yet.")
    return Rank.UNDER_WAY, Badge(_("In progress"), "quiet"), _("Meet every requirement to become eligible for credit.")


def _rejected(provider: str, *, may_ask_another: bool) -> tuple[Rank, Badge, str]:
    message = _("{provider} has not granted credit.").format(provider=provider)
    if not may_ask_another:
        return Rank.OVER, _badge(RequestStatus.REJECTED), message
    another = _("If another university gives credit for this course, you can ask it.")
    return Rank.WAITING, _badge(RequestStatus.REJECTED), f"{message} {another}"


def _badge(status: str) -> Badge:
    request_status = RequestStatus(status)
    return Badge(str(request_status.label), TONES[request_status])


def _asked(request: CreditRequestDict) -> Asked:
    seconds = request["timestamp"]
    return Asked(
        provider_id=request["provider"]["id"],
        provider_name=request["provider"]["display_name"],
        badge=_badge(request["status"]),
        is_decided=request["status"] in DECISIONS,
        moment=datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None,
    )


def _deadline(course: LearnerCourse) -> Deadline | None:
    """Return the deadline as long as it matters: nobody has to hurry who has asked already."""
    moment = course.deadline
    statuses = {request["status"] for request in course.requests}
    if moment is None or statuses & {RequestStatus.PENDING, RequestStatus.APPROVED}:
        return None
    day = date_format(timezone.localtime(moment), "DATE_FORMAT")
    if course.standing != "eligible":
        return Deadline(_("The last day was {day}.").format(day=day), moment)
    if not api.is_deadline_urgent(moment):
        return Deadline(_("You can ask until {day}.").format(day=day), moment)
    days = (moment - timezone.now()).days
    if days < 1:
        hour = date_format(timezone.localtime(moment), "TIME_FORMAT")
        text = _("Last day: you can ask until {day}, {hour} ({time_zone}).")
        return Deadline(text.format(day=day, hour=hour, time_zone=timezone.localtime(moment).tzname()), moment, True)
    text = ngettext("{days} day left: you can ask until {day}.", "{days} days left: you can ask until {day}.", days)
    return Deadline(text.format(days=days, day=day), moment, True)


def course_page(course: LearnerCourse, offered: Collection[ProviderDict] | None) -> CoursePage:
    """Return what the page of a course shows; `offered` is None if nobody knows who sold the learner its credit."""
    shown = card(course)
    asked = {request.provider_id: request for request in shown.requests}
    is_eligible = course.standing == "eligible"
    offers = [_provider(provider, asked.pop(provider["id"], None), is_eligible) for provider in offered or ()]
    return CoursePage(
        card=shown,
        providers=[*offers, *map(_former_provider, asked.values())],
        is_eligible=is_eligible,
        seller_unknown=offered is None,
    )


def _provider(provider: ProviderDict, asked: Asked | None, is_eligible: bool) -> Provider:
    return Provider(
        id=provider["id"],
        name=provider["display_name"],
        logo=web_address(provider["thumbnail_url"]),
        description=as_html(provider["description"]),
        instructions=as_html(provider["fulfillment_instructions"] or ""),
        status_url=web_address(provider["status_url"]) if asked else "",
        url=web_address(provider["url"]),
        asked=asked,
        action=_action(provider, asked) if is_eligible else Action.NOTHING,
    )


def _action(provider: ProviderDict, asked: Asked | None) -> Action:
    if asked is not None and asked.is_decided:
        return Action.NOTHING
    if not web_address(provider["url"]):
        return Action.COME_BACK if provider["enable_integration"] else Action.NOTHING
    if not provider["enable_integration"]:
        return Action.FOLLOW_LINK
    return Action.ASK if asked is None else Action.ASK_AGAIN


def _former_provider(asked: Asked) -> Provider:
    """Return a provider that takes no requests for the course any more, and has had one."""
    nothing = as_html("")
    return Provider(
        id=asked.provider_id,
        name=asked.provider_name,
        logo="",
        description=nothing,
        instructions=nothing,
        status_url="",
        url="",
        asked=asked,
        action=Action.NOTHING,
    )


def hand_over(form: CreditRequestForm, course_key: CourseKey, provider: ProviderDict) -> HandOver:
    """Return the form for the learner's browser, and what it tells the provider in words."""
    parameters = form["parameters"]
    return HandOver(
        provider_name=provider["display_name"],
        url=form["url"],
        method=form["method"],
        fields=[(name, str(value)) for name, value in parameters.items()],
        told=[(label, text) for label, text in _told(parameters, course_key) if text] if parameters else [],
    )


def _told(parameters: dict[str, Any], course_key: CourseKey) -> list[tuple[str, str]]:
    return [
        (_("Name"), parameters["user_full_name"]),
        (_("Username"), parameters["user_username"]),
        (_("E-mail address"), parameters["user_email"]),
        (_("Country"), parameters["user_country"]),
        (_("Course"), str(course_key)),
        (_("Final grade"), percent(parameters["final_grade"])),
        (_("Enrolled on"), _day(parameters["enrollment_timestamp"])),
        (_("Exams completed on"), _day(parameters["course_completion_timestamp"])),
    ]


def _day(seconds: object) -> str:
    return date_format(datetime.fromtimestamp(seconds, UTC), "DATE_FORMAT") if isinstance(seconds, int) else ""
