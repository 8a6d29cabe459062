"""Who may call besides staff: learners, for themselves.

Each class looks in the one place from which its view takes the username, so that no other can pass for it.
"""

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from coursecredit.parsers import body_of


class IsOwnerInBody(IsAuthenticated):
    """The caller is the learner named by `username` in the body."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and body_of(request).get("username") == request.user.get_username()


class IsOwnerInQuery(IsAuthenticated):
    """The caller is the learner named by `username` in the query."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        named = request.query_params.get("username")
        return super().has_permission(request, view) and named == request.user.get_username()
