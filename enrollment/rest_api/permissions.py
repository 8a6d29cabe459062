"""Who may call."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class HasApiKeyOrIsAuthenticated(BasePermission):
    """A trusted server, or anybody who has said who they are."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return view.is_server_request or bool(request.user and request.user.is_authenticated)
