"""Addresses of the service."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from settings import health, oauth, views

urlpatterns = [
    path("", views.index, name="index"),
    path("admin/", admin.site.urls),
    path("api/credit/", include("credit.urls")),
    path("api/docs/", views.ApiDocsView.as_view(), name="api_docs"),
    path("api/enrollment/", include("enrollment.urls")),
    path("api/program_enrollments/", include("program_enrollments.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("credit/", include("credit.learner_pages.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("login/", views.LoginPage.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    re_path(r"^oauth2/access_token/?$", oauth.AccessTokenView.as_view(), name="access_token"),
    path("readyz", health.readyz, name="readyz"),
    path(".well-known/jwks.json", oauth.key_set, name="key_set"),
]

handler400 = "settings.views.bad_request"
handler403 = "settings.views.permission_denied"
handler404 = "settings.views.page_not_found"
handler500 = "settings.views.server_error"
