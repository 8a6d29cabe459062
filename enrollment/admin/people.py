"""Who people are on a site of its own: their profiles, their roles, their answers to mail, their removal."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coursecredit.admin.corrections import SavesThroughApi
from coursecredit.admin.pages import ManyRows, begins
from enrollment import api
from enrollment.admin.parts import CourseIdField, LearnerRows, RuledRows, UsernameField, account_from
from enrollment.choices import CourseRole
from enrollment.errors import InvalidCourseRole
from enrollment.models import CourseAccessRole, EmailOptIn, LearnerProfile, RetirementRequest


class CourseAccessRoleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    username = UsernameField()
    course_id = CourseIdField(label=gettext_lazy("Course key"), required=False)

    class Meta:
        model = CourseAccessRole
        fields = ["role", "course_id", "org"]
        help_texts = {
            "role": gettext_lazy("For example %(roles)s.") % {"roles": ", ".join(CourseRole.values)},
            "org": gettext_lazy("Without a course: the role is on all courses of this organisation."),
        }

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or self.cleaned_data
        place = {"course_id": answers.get("course_id") or None, "org": answers.get("org") or ""}
        if bool(place["course_id"]) == bool(place["org"]) and "course_id" not in self.errors:
            raise forms.ValidationError(InvalidCourseRole.default_message())
        held = CourseAccessRole.objects.filter(user=answers.get("username"), role=answers.get("role"))
        if held.filter(**(place if place["org"] else {"course_id": place["course_id"]})).exists():
            raise forms.ValidationError(_("This role is held already."))
        return answers


@admin.register(CourseAccessRole)
class CourseAccessRoleAdmin(SavesThroughApi, LearnerRows):
    form = CourseAccessRoleForm
    list_display = ["learner", "role", "course_id", "org"]
    list_display_links = ["learner", "role"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["learner" if obj else "username", "role", "course_id", "org"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # another role would be one taken back and one given

    @admin.display(description=gettext_lazy("User"))
    def learner(self, obj: Any) -> str:
        return obj.learner_username or ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user = form.cleaned_data["username"]
        place = {"course_id": obj.course_id or None, "org": obj.org or None}
        api.grant_course_role(user.get_username(), obj.role, **place)
        held = CourseAccessRole.objects.filter(user=user, role=obj.role, course_id=place["course_id"])
        saved = (held if place["course_id"] else held.filter(org=obj.org)).earliest("pk")
        obj.pk, obj._state.adding = saved.pk, False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        place = {"course_id": obj.course_id} if obj.course_id else {"org": obj.org}
        api.revoke_course_role(obj.learner_username, obj.role, **place)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset.order_by("pk"):
            self.delete_model(request, row)


class LearnerProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    username = UsernameField(required=False)

    class Meta:
        model = LearnerProfile
        fields = ["name", "mailing_address", "country", "language"]

    def clean_username(self) -> Any:
        user = self.cleaned_data["username"]
        if LearnerProfile.objects.filter(user=user).exists():
            raise forms.ValidationError(_("This account has a profile already."))
        self.instance.user = user
        return user


@admin.register(LearnerProfile)
class LearnerProfileAdmin(LearnerRows):
    form = LearnerProfileForm
    list_display = ["learner", "name", "country", "language"]
    course_column = ""
    search_fields = ["user__username"]
    search_help_text = gettext_lazy("Beginning of a username, in its case.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["learner" if obj else "username", "name", "mailing_address", "country", "language"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["learner", "username"] if obj else []  # which takes the latter out of the form


class RetirementRequestForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = RetirementRequest
        fields = ["username", "state"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        account_from(username)
        return username


@admin.register(RetirementRequest)
class RetirementRequestAdmin(ManyRows):
    form = RetirementRequestForm
    list_display = ["username", "state", "created", "modified"]
    ordering = ["-pk"]
    search_fields = ["username", "state"]
    search_help_text = gettext_lazy("Beginning of a username, in its case, or a whole state.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["username", "state", *(["created", "modified"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["username", "created", "modified"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # that a person has been removed is kept

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        return begins(rows, "username", term) | Q(state=term)


@admin.register(EmailOptIn)
class EmailOptInAdmin(RuledRows):
    list_display = ["learner", "org", "value", "modified"]
    list_display_links = ["learner", "org"]
    list_filter = ["value"]
    course_column = ""
    search_fields = ["user__username", "org"]
    search_help_text = gettext_lazy("Beginning of a username, in its case, or a whole organisation.")
    fields = ["learner", "org", "value", "created", "modified"]

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        return super().matching(rows, term) | Q(org=term)
