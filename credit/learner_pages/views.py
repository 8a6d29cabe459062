"""The pages. Whose credit they show is said by the session and by nothing else."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe
from opaque_keys.edx.keys import CourseKey

from credit import api
from credit.exceptions import CreditProviderNotConfigured
from credit.learner_pages import presentation
from credit.learner_pages.addresses import web_address
from credit.learner_pages.answers import learner_of, page, readable_errors
from credit.serializers import parse_course_key


@require_safe
@never_cache
@login_required
@readable_errors
def my_credit(request: HttpRequest) -> HttpResponse:
    """Show every course in which the learner has to do with credit."""
    courses = presentation.cards(api.get_learner_courses(learner_of(request)))
    return page(request, "my_credit.html", {"courses": courses})


@require_safe
@never_cache
@login_required
@readable_errors
def course(request: HttpRequest, course_key: str) -> HttpResponse:
    """Show one course: its requirements, the providers, what became of requests."""
    key = addressed_key(course_key)
    learner = learner_of(request)
    facts = api.get_learner_course(learner, key)
    if facts is None:
        raise Http404
    shown = presentation.course_page(facts, api.get_providers_to_ask(learner, key))
    return page(request, "course.html", {"course": shown}, images=[provider.logo for provider in shown.providers])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@csrf_protect
@readable_errors
def ask_provider(request: HttpRequest, course_key: str, provider_id: str) -> HttpResponse:
    """Record the request, and let the learner's browser carry the signed form to the provider."""
    key = addressed_key(course_key)
    if request.method != "POST":  # after a log-in on the way, or a reload of the address alone
        return redirect("credit_learner:course", course_key=course_key)
    provider = api.get_provider(provider_id)
    if provider is None or not web_address(provider["url"]):
        raise CreditProviderNotConfigured
    learner = learner_of(request)
    form = api.create_credit_request(key, provider_id, learner.get_username(), actor=str(learner.pk))
    hand_over = presentation.hand_over(form, key, provider)
    return page(
        request,
        "hand_over.html",
        {"hand_over": hand_over, "course_key": course_key},
        form_targets=[hand_over.url],
    )


def addressed_key(text: str) -> CourseKey:
    """Return the course key in an address, where anything else is no address of ours."""
    key = parse_course_key(text)
    if key is None:
        raise Http404
    return key
