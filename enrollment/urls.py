"""Addresses of the REST endpoints, for a host to include under `/api/enrollment/`."""

from django.urls import include, path

app_name = "enrollment"

urlpatterns = [
    path("v1/", include("enrollment.rest_api.v1.urls")),
    path("v2/", include("enrollment.rest_api.v2.urls")),
]
