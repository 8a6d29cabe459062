"""How the generated description of the API speaks of our authenticators."""

from typing import Any

from drf_spectacular.contrib.django_oauth_toolkit import DjangoOAuthToolkitScheme
from drf_spectacular.contrib.rest_framework_jwt import JWTScheme


class JwtScheme(JWTScheme):  # type: ignore[no-untyped-call]  # it registers itself
    target_class = "settings.authentication.JwtAuthentication"


class BearerScheme(DjangoOAuthToolkitScheme):  # type: ignore[no-untyped-call]  # it registers itself
    target_class = "settings.authentication.BearerAuthentication"

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {self.name: []}
