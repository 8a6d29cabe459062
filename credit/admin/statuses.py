"""Where learners stand with single requirements, which rules decide."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from coursecredit.admin.corrections import apply_to_each, take
from coursecredit.admin.pages import may
from credit import api
from credit.admin.parts import RuledRows, audit_trail, who
from credit.models import CreditEligibility, CreditRequirement, CreditRequirementStatus


@admin.register(CreditRequirementStatus)
class CreditRequirementStatusAdmin(RuledRows):
    list_display = ["username", "requirement", "status"]
    shown_rows = ("requirement__course",)
    search_fields = ["username", "requirement__course__course_key"]
    sortable_by = ("username",)
    fields = ["username", "requirement", "status", "reason", "created", "modified", "audit"]
    actions = ["re_evaluate"]

    def in_courses(self, courses: QuerySet[Any] | list[int]) -> Q:
        requirements = CreditRequirement.objects.filter(course__in=courses).values_list("pk", flat=True)
        return Q(requirement__in=list(requirements) if isinstance(courses, list) else requirements)

    @admin.display(description=_("Audit"))
    def audit(self, obj: CreditRequirementStatus) -> SafeString:
        requirement = obj.requirement
        subject = f"{requirement.course.course_key} {requirement.namespace} {requirement.name}"
        return audit_trail(username=obj.username, subject=subject)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or []

    def has_evaluate_permission(self, request: HttpRequest) -> bool:
        return may(request, "add", CreditEligibility)

    @admin.action(description=_("Re-evaluate these learners' eligibility"), permissions=["evaluate"])
    def re_evaluate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Make those eligible who meet all requirements of the course as they are now."""
        rows = take(self, request, queryset)
        learners = {(row.username, str(row.requirement.course.course_key)): row for row in rows or []}

        def apply(row: CreditRequirementStatus, answers: dict[str, Any]) -> bool:
            return api.re_evaluate_eligibility(row.username, row.requirement.course.course_key, **who(request))

        apply_to_each(self, request, list(learners.values()), apply)
        return None
