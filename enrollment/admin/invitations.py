"""Invitations by e-mail address: staff make and withdraw them, through the api, which keeps a record of who did."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coursecredit.admin.corrections import SavesThroughApi
from coursecredit.admin.pages import begins
from enrollment import api
from enrollment.admin.parts import CourseIdField, LearnerRows, in_courses, user_id
from enrollment.errors import InvitationExists
from enrollment.models import CourseEnrollmentAllowed


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    email = forms.EmailField(label=_("E-mail address"), max_length=255)
    course_id = CourseIdField(label=_("Course key"), help_text=_("The course need not be known yet."))

    class Meta:
        model = CourseEnrollmentAllowed
        fields = ["email", "course_id", "auto_enroll"]
        help_texts = {"auto_enroll": _("Enroll whoever confirms the address, without asking them.")}

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or self.cleaned_data
        invitations = CourseEnrollmentAllowed.objects.to_address(answers.get("email", ""))
        if invitations.filter(course_id=answers.get("course_id")).exists():
            raise forms.ValidationError(InvitationExists.default_message())
        return answers


@admin.register(CourseEnrollmentAllowed)
class CourseEnrollmentAllowedAdmin(SavesThroughApi, LearnerRows):
    form = InvitationForm
    list_display = ["email", "course_id", "auto_enroll", "learner", "day"]
    list_display_links = ["email", "course_id"]
    list_filter = ["auto_enroll", ("user", admin.EmptyFieldListFilter)]
    search_fields = ["email", "course_id"]
    search_help_text = _("Beginning of an e-mail address, in its case, a whole one, or part of the key of a course.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["email", "course_id", "auto_enroll", *(["learner", "created"] if obj else [])]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # another address or course would be another invitation

    @admin.display(description=_("Used by"))
    def learner(self, obj: Any) -> str:
        return obj.learner_username or ""

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        address = Q(email_lower=term.lower()) | begins(rows, "email", term)
        return address | in_courses(self.course_column, term)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        api.create_invitation(obj.email, obj.course_id, auto_enroll=obj.auto_enroll, requested_by=user_id(request))
        saved = CourseEnrollmentAllowed.objects.to_address(obj.email).get(course_id=obj.course_id)
        obj.pk, obj._state.adding = saved.pk, False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        api.delete_invitation(obj.email, obj.course_id, requested_by=user_id(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset.order_by("pk"):
            self.delete_model(request, row)
