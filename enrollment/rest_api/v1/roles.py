"""The caller's own roles (enrollment contract 10.10)."""

import logging
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from enrollment import api
from enrollment.errors import RolesUnreadableError
from enrollment.rest_api.base import LearnerView
from enrollment.rest_api.refusals import TargetMissing

log = logging.getLogger(__name__)


class RolesView(LearnerView):
    """On which courses and organisations the caller has roles, and whether they are staff of the whole site."""

    always_throttled = True

    def get(self, request: Request) -> Response:
        username = self.own_username
        if username is None:
            raise TargetMissing("Roles are a user's: a server has to say for whom it speaks.")
        return Response({"roles": _roles_of(username, request), "is_staff": self.is_global_staff})


def _roles_of(username: str, request: Request) -> list[dict[str, Any]]:
    wanted = request.query_params.get("course_id")
    try:
        roles = [
            {"org": role.org, "course_id": None if role.course_id is None else str(role.course_id), "role": role.role}
            for role in api.get_user_roles(username)
        ]
    except Exception as exc:  # of whatever kind: roles may come from another system
        log.error("The roles of user %s could not be read: %s.", request.user.pk, type(exc).__name__)
        raise RolesUnreadableError(f"An error occurred while retrieving roles for user '{username}'.") from exc
    return [role for role in roles if role["course_id"] == wanted] if wanted else roles
