"""Invitations by e-mail address, for staff (enrollment contract 10.11)."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from coursecredit.parsers import body_of
from enrollment import api
from enrollment.rest_api.invitations import InvitingView, auto_enroll_in, invitation_in, sources_of


class InvitationView(InvitingView):
    """The invitations of an address: listed, made, withdrawn."""

    def get(self, request: Request) -> Response:
        return Response(api.list_invitations(self.asked_email(request)))

    def post(self, request: Request) -> Response:
        body = body_of(request)
        email, course_id = invitation_in(body)
        invitation = api.create_invitation(
            email, course_id, auto_enroll=auto_enroll_in(body), requested_by=request.user.pk
        )
        return Response(invitation, status=status.HTTP_201_CREATED)

    def delete(self, request: Request) -> Response:
        email, course_id = invitation_in(*sources_of(request))
        api.delete_invitation(email, course_id, requested_by=request.user.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
