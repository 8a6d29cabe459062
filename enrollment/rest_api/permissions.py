"""Who may call."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from enrollment import ports


class HasApiKeyOrIsAuthenticated(BasePermission):
    """A trusted server, or anybody who has said who they are."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return view.is_server_request or bool(request.user and request.user.is_authenticated)


class IsGlobalStaff(BasePermission):
    """Staff of the whole site; an API key does not make anybody that."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(view.is_global_staff)


class MayRetireUsers(BasePermission):
    """Whoever removes accounts, as the host says."""

    def has_permission(self, request: Request, view: Any) -> bool:
        requester = view.requester
        return requester is not None and ports.retirements().can_retire(requester)
