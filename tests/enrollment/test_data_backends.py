"""The API on other data backends than the default one. None of these tests may use the database."""

from functools import partial

import pytest

from enrollment import api
from enrollment.errors import (
    CourseEnrollmentExistsError,
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentApiLoadError,
    EnrollmentModeMismatchError,
    EnrollmentNotFoundError,
)
from tests import fake_data_api
from tests.enrollment import seed_data_api

COURSE = "course-v1:edX+DemoX+2026"
CREDIT = {"namespace": "credit", "name": "provider_id", "value": "hogwarts"}


class TestBackendOfLists:
    @pytest.fixture(autouse=True)
    def backend(self, settings):
        settings.ENROLLMENT_DATA_API = "tests.fake_data_api"
        fake_data_api.reset()
        yield fake_data_api
        fake_data_api.reset()

    @pytest.mark.parametrize(
        ("offered", "asked", "mode"),
        [
            pytest.param(("honor", "verified", "audit"), {}, "audit", id="default"),
            pytest.param(("honor", "verified"), {}, "honor", id="free"),
            pytest.param(("honor", "verified"), {"mode": "verified"}, "verified", id="named"),
            pytest.param(("credit",), {"mode": "credit"}, "credit", id="credit"),
        ],
    )
    def test_enroll(self, backend, offered, asked, mode):
        backend.add_course(COURSE, course_modes=offered)

        enrollment = api.add_enrollment("bob", COURSE, **asked)

        assert enrollment is backend.get_course_enrollment("bob", COURSE)
        assert enrollment is api.get_enrollment("bob", COURSE)
        assert (enrollment["user"], enrollment["mode"], enrollment["is_active"]) == ("bob", mode, True)
        assert enrollment["course"]["course_id"] == COURSE

    @pytest.mark.parametrize(
        "offered", [("professional",), ("verified",), ("verified", "professional"), ("credit",)], ids="+".join
    )
    def test_nobody_gets_into_a_paid_mode_unasked(self, backend, offered):
        course = backend.add_course(COURSE, course_modes=offered)
        with pytest.raises(CourseModeNotFoundError) as refusal:
            api.add_enrollment("bob", COURSE)
        assert refusal.value.data == course
        assert api.get_enrollment("bob", COURSE) is None

    def test_unknown_course(self):
        with pytest.raises(CourseNotFoundError):
            api.add_enrollment("bob", COURSE)

    def test_repeat(self, backend):
        backend.add_course(COURSE)
        row = backend.add_enrollment("bob", COURSE)
        with pytest.raises(CourseEnrollmentExistsError) as refusal:
            api.add_enrollment("bob", COURSE)
        assert refusal.value.enrollment is row

    def test_leave_in_a_mode_that_has_expired(self, backend):
        backend.add_course(COURSE, course_modes=("honor", "verified"))
        backend.add_enrollment("bob", COURSE, mode="verified")
        backend.set_expired_mode("verified")

        with pytest.raises(CourseModeNotFoundError):
            api.update_enrollment("bob", COURSE, "verified", is_active=True)
        assert api.update_enrollment("bob", COURSE, "verified", is_active=False)["is_active"] is False

    def test_requests(self, backend):
        backend.add_course(COURSE, course_modes=("honor", "verified"))
        ask = partial(api.request_enrollment, "bob", COURSE)
        server = {"privileged": True, "server_request": True}

        enrollment = ask()
        assert (enrollment["mode"], enrollment["is_active"]) == ("honor", True)
        assert enrollment is backend.get_course_enrollment("bob", COURSE) is ask()
        assert ask(mode="verified", enrollment_attributes=[CREDIT], **server)["mode"] == "verified"
        with pytest.raises(EnrollmentModeMismatchError):
            ask(mode="honor", is_active=False, **server)
        assert ask(is_active=False, **server)["is_active"] is False
        assert ask(is_active=False, enrollment_attributes=[], **server)["mode"] == "verified"
        assert api.get_enrollment_attributes("bob", COURSE) == []

    def test_lists(self, backend):
        other = "course-v1:edX+OtherX+2026"
        backend.add_course(COURSE, course_modes=("honor", "verified"))
        backend.add_course(other)
        active = backend.add_enrollment("bob", COURSE, mode="verified")
        inactive = backend.add_enrollment("bob", other, is_active=False)

        assert api.get_enrollments("bob") == [active] == api.get_verified_enrollments("bob")
        assert api.get_enrollments("bob", include_inactive=True) == [active, inactive]
        assert api.serialize_enrollments([active]) == [active]
        assert api.unenroll_user_from_all_courses("bob") == {"edX"}
        assert api.get_enrollments("bob") == []
        assert api.get_user_roles("bob") == []

    def test_attributes(self, backend):
        backend.add_course(COURSE)
        api.add_enrollment("bob", COURSE, enrollment_attributes=[CREDIT])
        assert api.get_enrollment_attributes("bob", COURSE) == [CREDIT]
        api.set_enrollment_attributes("bob", COURSE, [])
        assert api.get_enrollment_attributes("bob", COURSE) == []

    def test_course_details(self, backend):
        course = backend.add_course(COURSE)
        assert api.get_course_enrollment_details(COURSE) == course
        backend.reset()
        assert api.get_course_enrollment_details(COURSE) == course

    def test_its_own_transaction_is_used(self, backend, monkeypatch):
        depths = []

        class Recorded:
            def __enter__(self):
                depths.append("begin")

            def __exit__(self, *failure):
                depths.append("rollback" if failure[0] else "commit")

        monkeypatch.setattr(backend, "atomic", Recorded, raising=False)
        backend.add_course(COURSE)
        api.add_enrollment("bob", COURSE, enrollment_attributes=[CREDIT])
        with pytest.raises(EnrollmentNotFoundError):
            api.update_enrollment("eve", COURSE, is_active=False)
        assert depths == ["begin", "commit", "begin", "rollback"]


class TestCallsOfTheFirstVersion:
    """Written as they were for the first version of the API, against a backend of that time."""

    COURSE = seed_data_api.COURSE

    @pytest.fixture(autouse=True)
    def _backend(self, settings):
        settings.ENROLLMENT_DATA_API = "tests.enrollment.seed_data_api"
        settings.COURSE_MODE_DEFAULTS = {"slug": "honor"}
        seed_data_api.rows.clear()

    def test_add_by_position_and_by_keyword(self):
        assert api.add_enrollment("Bob", self.COURSE) == {"student": "Bob", "track": "honor", "enrolled": True}
        assert api.add_enrollment("Eve", self.COURSE, "verified", False)["enrolled"] is False
        assert api.add_enrollment("Ann", self.COURSE, mode="verified", is_active=True)["track"] == "verified"
        assert api.get_enrollments("Bob") == [seed_data_api.rows["Bob", self.COURSE]]
        assert api.get_enrollment("Eve", self.COURSE)["track"] == "verified"

    def test_update(self):
        api.add_enrollment("Bob", self.COURSE)
        assert api.update_enrollment("Bob", self.COURSE, "verified")["track"] == "verified"
        assert api.update_enrollment("Bob", self.COURSE, mode=None, is_active=False)["enrolled"] is False
        with pytest.raises(EnrollmentNotFoundError):
            api.update_enrollment("Eve", self.COURSE, is_active=True)

    def test_request(self):
        """Its records have other keys than ours, so it decides itself what a repeat means: here, nothing."""
        for _ in range(2):
            enrollment = api.request_enrollment("Bob", self.COURSE, mode="verified", privileged=True)
            assert enrollment == {"student": "Bob", "track": "verified", "enrolled": True}

    def test_helpers_under_their_old_names(self):
        assert api._data_api() is seed_data_api
        assert api._validate_course_mode(self.COURSE, "honor") is None
        with pytest.raises(CourseModeNotFoundError):
            api._validate_course_mode(self.COURSE, "audit")
        assert api.get_course_enrollment_details(self.COURSE)["course_id"] == self.COURSE


@pytest.mark.parametrize("path", ["no.such.module", "", ".data"])
def test_backend_that_cannot_be_loaded(settings, caplog, path):
    settings.ENROLLMENT_DATA_API = path
    with pytest.raises(EnrollmentApiLoadError) as caught:
        api.get_enrollments("bob")
    assert (str(caught.value), caught.value.data) == ("The module that stores enrollments could not be loaded.", path)
    with pytest.raises(EnrollmentApiLoadError):
        api.request_enrollment("bob", COURSE)
    assert caplog.text.count("that ENROLLMENT_DATA_API names") == 2
