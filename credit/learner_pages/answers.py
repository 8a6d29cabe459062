"""How the pages are answered: what a browser may load and where its forms may go, and errors that people can read."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static

from coursecredit.errors import DomainError
from coursecredit.problems import status_of
from credit import ports
from credit.conf import conf
from credit.learner_pages.addresses import origins
from credit.learner_pages.problems import NOT_FOUND, problem_of

NO_HELP = "#"
STYLESHEET = "credit/learner.css"

View = Callable[..., HttpResponse]


def readable_errors(view: View) -> View:
    """Answer what the api refuses, and what does not exist, by a page with the status that REST would have."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DomainError as exc:
            return page(request, "problem.html", {"problem": problem_of(exc), **kwargs}, status=status_of(exc))
        except Http404:
            return page(request, "problem.html", {"problem": NOT_FOUND}, status=404)

    return answer


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    images: Iterable[str] = (),
    form_targets: Iterable[str] = (),
) -> HttpResponse:
    """Render one of the pages.

    Args:
        images: addresses of pictures of other sites.
        form_targets: addresses of other sites to which a form of the page goes.
    """
    site = {
        "platform_name": ports.site().platform_name(),
        "help_link": "" if conf.CREDIT_HELP_LINK_URL == NO_HELP else conf.CREDIT_HELP_LINK_URL,
        "learner_name": name_of(learner_of(request)),
        "stylesheet": STYLESHEET,
    }
    response = render(request, f"credit/learner/{template}", {**site, **context}, status=status)
    response["Content-Security-Policy"] = policy(images=images, form_targets=form_targets)
    if form_targets:
        response["Referrer-Policy"] = "strict-origin"  # the provider may see from which site its form comes
    return response


def learner_of(request: HttpRequest) -> AbstractBaseUser:
    """Return who is logged in, as somebody is wherever `login_required` stands."""
    return cast(AbstractBaseUser, request.user)


def name_of(user: AbstractBaseUser) -> str:
    """Return the learner's name as the page's head shows it."""
    full_name = getattr(user, "get_full_name", user.get_username)
    return str(full_name() or user.get_username())


def policy(*, images: Iterable[str], form_targets: Iterable[str]) -> str:
    """Return the page's own Content-Security-Policy: our style, these pictures, these targets of forms, no more."""
    sources = {
        "default-src": ["'none'"],
        "style-src": ["'self'", *origins([static(STYLESHEET)])],
        "img-src": ["'self'", "data:", *origins(images)],
        "form-action": ["'self'", *origins(form_targets)],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
    return "; ".join(" ".join([name, *values]) for name, values in sources.items())
