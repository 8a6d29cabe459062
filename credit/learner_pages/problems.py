"""What went wrong, in words for learners: what it means, and what they can do."""

import attrs
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from coursecredit.errors import DomainError
from credit.exceptions import CreditProviderNotConfigured, RequestAlreadyCompleted, UserIsNotEligible


@attrs.frozen
class Problem:
    """A heading, and an explanation that ends with what to do."""

    title: Promise
    text: Promise


NOT_FOUND = Problem(
    title=_("There is nothing here"),
    text=_("This page does not exist, or it is about a course in which you have no credit to look at."),
)
UNKNOWN = Problem(
    title=_("This did not work"),
    text=_("Your request was not sent. Please try again later, or ask for help."),
)
PROBLEMS: dict[type[DomainError], Problem] = {
    UserIsNotEligible: Problem(
        title=_("You cannot ask for credit in this course now"),
        text=_("You are not eligible for credit in this course, or not any more. Nothing was sent."),
    ),
    CreditProviderNotConfigured: Problem(
        title=_("This university cannot take your request now"),
        text=_("It takes no requests from this site at the moment. Nothing was sent. Please try again later."),
    ),
    RequestAlreadyCompleted: Problem(
        title=_("The university has decided already"),
        text=_("It has answered your request for this course, so the request cannot be sent again."),
    ),
}


def problem_of(error: DomainError) -> Problem:
    """Return what learners are told of an error."""
    return PROBLEMS.get(type(error), UNKNOWN)
