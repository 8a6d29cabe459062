"""Addresses of the REST endpoints, for a host to include under `/api/credit/`."""

from django.urls import include, path, re_path

from credit.choices import CREDIT_PROVIDER_ID_REGEX
from credit.routers import SimpleRouter
from credit.views import (
    CreditCourseViewSet,
    CreditEligibilityView,
    CreditProviderCallbackView,
    CreditProviderRequestCreateView,
    CreditProviderViewSet,
)

app_name = "credit"

PROVIDER = rf"providers/(?P<provider_id>{CREDIT_PROVIDER_ID_REGEX})"

router = SimpleRouter()
router.register("courses", CreditCourseViewSet, basename="creditcourse")
router.register("providers", CreditProviderViewSet, basename="creditprovider")

v1_patterns = [
    re_path(rf"^{PROVIDER}/request/$", CreditProviderRequestCreateView.as_view(), name="create_request"),
    # The slash is optional, without a redirect: a redirected POST arrives as a GET.
    re_path(rf"^{PROVIDER}/callback/?$", CreditProviderCallbackView.as_view(), name="provider_callback"),
    path("eligibility/", CreditEligibilityView.as_view(), name="eligibility_details"),
    *router.urls,
]

urlpatterns = [path("v1/", include(v1_patterns))]
