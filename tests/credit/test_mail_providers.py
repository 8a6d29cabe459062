"""Which providers the mail names."""

import pytest

from credit.backends import LocalCommerce
from credit.email_utils import get_credit_provider_attribute_values, make_providers_strings
from tests.credit.factories import (
    CreditConfigFactory,
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditProviderFactory,
)


@pytest.mark.rule("credit.mail.provider-names")
@pytest.mark.parametrize(
    ("names", "text"),
    [
        (None, None),
        ([], None),
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C"], "A, B, and C"),
        (["A", "B", "C", "D"], "A, B, C, and D"),
        (["{0} %s", "{x}"], "{0} %s and {x}"),
    ],
)
def test_names_are_listed_as_people_do(names, text):
    assert make_providers_strings(names) == text


class Commerce:
    """Answers with `ids`, and counts how often it is asked."""

    ids: list[str] | None
    asked: int

    def credit_provider_ids(self, course_key):
        Commerce.asked += 1
        return Commerce.ids


@pytest.fixture
def commerce(settings):
    settings.CREDIT_PORTS = {"commerce": f"{__name__}.Commerce"}
    Commerce.asked = 0
    return Commerce


@pytest.fixture
def course_key():
    return CreditCourseFactory().course_key


@pytest.fixture
def _providers():
    for provider_id, active in (("a", True), ("b", True), ("c", False), ("d", True)):
        CreditProviderFactory(provider_id=provider_id, display_name=provider_id.upper(), active=active)


@pytest.mark.django_db
@pytest.mark.usefixtures("_providers")
@pytest.mark.rule("credit.mail.provider-attributes")
class TestAttributeValues:
    @pytest.mark.parametrize(
        ("ids", "names"),
        [
            pytest.param(["b"], ["B"], id="one"),
            pytest.param(["d", "b", "a", "b"], ["A", "B", "D"], id="in the order of the list, each once"),
            pytest.param(["a", "c", "unknown", None, 7], ["A"], id="neither inactive nor unknown ones"),
            pytest.param(["c"], [], id="none of them active"),
            pytest.param([], [], id="none"),
            pytest.param(None, None, id="not known"),
        ],
    )
    def test_values_of_the_courses_active_providers(self, commerce, course_key, ids, names):
        commerce.ids = ids
        assert get_credit_provider_attribute_values(course_key, "display_name") == names
        assert get_credit_provider_attribute_values(str(course_key), "display_name") == names

    def test_any_attribute_of_a_provider(self, commerce, course_key):
        commerce.ids = ["a"]
        assert get_credit_provider_attribute_values(course_key, "status_url") == ["https://credit.example.com/status"]

    @pytest.mark.parametrize(("ids", "asked"), [(["a"], 1), (["c"], 1), ([], 2), (None, 2)])
    def test_cached_as_staff_configured_unless_there_was_no_answer(self, commerce, course_key, ids, asked):
        CreditConfigFactory(enabled=True, cache_ttl=60)
        commerce.ids = ids
        for _ in range(2):
            get_credit_provider_attribute_values(course_key, "display_name")
        assert commerce.asked == asked

    def test_cached_per_course_and_attribute(self, commerce, course_key):
        CreditConfigFactory(enabled=True, cache_ttl=60)
        commerce.ids = ["a"]
        assert get_credit_provider_attribute_values(course_key, "display_name") == ["A"]
        assert get_credit_provider_attribute_values(course_key, "id") == ["a"]
        commerce.ids = ["b"]
        assert get_credit_provider_attribute_values(course_key, "display_name") == ["A"]
        assert get_credit_provider_attribute_values(CreditCourseFactory().course_key, "display_name") == ["B"]

    @pytest.mark.parametrize("config", [{"enabled": False, "cache_ttl": 60}, {"enabled": True, "cache_ttl": 0}])
    def test_not_cached_otherwise(self, commerce, course_key, config):
        CreditConfigFactory(**config)
        commerce.ids = ["a"]
        for _ in range(2):
            get_credit_provider_attribute_values(course_key, "display_name")
        assert commerce.asked == 2

    def test_a_sites_function_may_replace_the_answer(self, settings, course_key):
        settings.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE = f"{__name__}.last_of"
        assert get_credit_provider_attribute_values(course_key, "display_name") == ["D"]


def last_of(original, course_id):
    return original(course_id)[-1:]


@pytest.mark.django_db
def test_without_a_commerce_service_the_courses_own_providers_count():
    course = CreditCourseFactory()
    CreditCourseProviderFactory(course=course, provider__provider_id="own")
    CreditProviderFactory(provider_id="other")
    assert LocalCommerce().credit_provider_ids(course.course_key) == ["own"]
    assert get_credit_provider_attribute_values(course.course_key, "id") == ["own"]
