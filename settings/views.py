"""The pages that lead elsewhere: the index, the browsable description of the API, and what is shown for errors."""

import inspect

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView

# Django's own pages, without the CSRF token that they prepare: for it they read the body, and a malformed one turned a
# 404 into a 500.
bad_request = inspect.unwrap(defaults.bad_request)
permission_denied = inspect.unwrap(defaults.permission_denied)
page_not_found = inspect.unwrap(defaults.page_not_found)
server_error = inspect.unwrap(defaults.server_error)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show what there is on this site, to people and to whoever installed it."""
    return render(request, "settings/index.html")


class LoginPage(LoginView):
    """Log-in for everybody: the staff pages have their own, which lets nobody else in."""

    template_name = "settings/login.html"
    redirect_authenticated_user = True


class ApiDocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own files, with its start-up script in an answer of its own, as our policy demands."""

    template_name = "settings/api_docs.html"
    url_name = "api_schema"
