"""Addresses of the service, and of the practice LMS beside it."""

from django.urls import include, path

from settings.urls import urlpatterns as service

urlpatterns = [*service, path("practice-lms/", include("demo.practice_lms"))]
