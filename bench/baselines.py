"""The least that an endpoint can do: the same server, authentication and renderer, and nothing of the domain."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView


def create_table() -> None:
    """Make the table that the bare writes insert into: as wide as a credit request's key."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_baseline (id bigserial PRIMARY KEY, uuid varchar(32) NOT NULL UNIQUE)")


class BareAnonymousRead(APIView):
    """A read without a database, for everybody."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[type[BasePermission]] = ()

    def get(self, request: Request) -> Response:
        return Response([])


class BareRead(BareAnonymousRead):
    """The same for callers who log in."""

    authentication_classes = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    permission_classes = (IsAuthenticated,)


class BareAnonymousWrite(APIView):
    """The bare view and one committed INSERT, for callers that are known by their signature alone."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[type[BasePermission]] = ()

    def post(self, request: Request) -> Response:
        assert request.data is not None  # the body is parsed, as every write does
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_baseline (uuid) VALUES (%s)", [uuid.uuid4().hex])
        return Response({})


class BareWrite(BareAnonymousWrite):
    """The same for callers who log in."""

    authentication_classes = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    permission_classes = (IsAuthenticated,)
