"""The service's addresses, and the bare views beside them."""

from django.urls import include, path

from bench import baselines

urlpatterns = [
    path("bare/read", baselines.BareRead.as_view()),
    path("bare/anonymous-read", baselines.BareAnonymousRead.as_view()),
    path("bare/write", baselines.BareWrite.as_view()),
    path("bare/anonymous-write", baselines.BareAnonymousWrite.as_view()),
    path("", include("settings.urls")),
]
