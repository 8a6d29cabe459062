"""Addresses below `/api/enrollment/v2/`."""

from django.urls import URLPattern

app_name = "v2"

urlpatterns: list[URLPattern] = []
