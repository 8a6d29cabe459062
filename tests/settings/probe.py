"""Views behind the site's default authentication, views that fail, and the site's own addresses."""

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class WhoAmI(APIView):
    def get(self, request: Request) -> Response:
        return Response({"user": request.user.username})

    def post(self, request: Request) -> Response:
        return Response({"user": request.user.username, "body": request.data})


class Scoped(WhoAmI):
    required_scopes = ["credit:read", "credit:write"]


def user(request: HttpRequest, username: str) -> HttpResponse:
    return HttpResponse()


def fails(request: HttpRequest, username: str = "alice") -> HttpResponse:
    try:
        raise IntegrityError(f"Key (username)=({username}) already exists.")
    except IntegrityError as exc:
        raise RuntimeError("The view failed.") from exc


def own_policy(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"Content-Security-Policy": "default-src 'self'"})


urlpatterns = [
    path("users/<str:username>/", user),
    path("users/<str:username>/fails/", fails),
    path("fails/", fails),
    path("own-policy/", own_policy),
    path("whoami/", WhoAmI.as_view()),
    path("scoped/", Scoped.as_view()),
    path("", include("settings.urls")),
]
