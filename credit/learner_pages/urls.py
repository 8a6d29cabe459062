"""Addresses of the learner's pages, for a host to include, for example under `/credit/`."""

from django.urls import path, re_path

from credit.choices import COURSE_KEY_REGEX, CREDIT_PROVIDER_ID_REGEX
from credit.learner_pages import views

app_name = "credit_learner"

COURSE = rf"courses/(?P<course_key>{COURSE_KEY_REGEX})"
PROVIDER = rf"providers/(?P<provider_id>{CREDIT_PROVIDER_ID_REGEX})"

urlpatterns = [
    path("", views.my_credit, name="my_credit"),
    re_path(rf"^{COURSE}/$", views.course, name="course"),
    re_path(rf"^{COURSE}/{PROVIDER}/$", views.ask_provider, name="ask_provider"),
]
