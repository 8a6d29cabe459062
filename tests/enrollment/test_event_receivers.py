"""What other services tell of grades, certificates and registrations: real signals, as the consumer sends them."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from opaque_keys.edx.keys import CourseKey

from enrollment import api
from enrollment.errors import InvalidCourseKeyError
from enrollment.models import CourseCertificate, CourseEnrollment, CourseGrade
from events.data import EventsMetadata
from events.learning.data import (
    CertificateData,
    CourseData,
    PersistentCourseGradeData,
    UserData,
    UserPersonalData,
)
from events.learning.signals import (
    CERTIFICATE_CHANGED,
    CERTIFICATE_CREATED,
    CERTIFICATE_REVOKED,
    PERSISTENT_GRADE_SUMMARY_CHANGED,
    STUDENT_REGISTRATION_COMPLETED,
)
from tests.enrollment.factories import CourseEnrollmentAllowedFactory, CourseFactory, UserFactory
from tests.support import in_parallel, statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = CourseKey.from_string("course-v1:edX+Demo+2026_T1")
COURSE = CourseData(course_key=KEY)


def receive(signal, at, **payload):
    """Receive an event as the consumer does: in a transaction, where any failure is a failure of the event."""
    metadata = EventsMetadata(event_type=signal.event_type, time=at)
    with transaction.atomic():
        for _, response in signal.send_event_with_custom_metadata(metadata, using="default", **payload):
            if isinstance(response, Exception):
                raise response


def told_of(user_id):
    return UserData(
        id=user_id, is_active=True, pii=UserPersonalData(username="marker", email="marker@example.com", name="Marker")
    )


def receive_grade(user_id, percent, at=NOW, letter="Pass"):
    grade = PersistentCourseGradeData(
        user_id=user_id,
        course=COURSE,
        course_edited_timestamp=NOW,
        course_version="version",
        grading_policy_hash="hash",
        percent_grade=percent,
        letter_grade=letter,
        passed_timestamp=NOW - DAY,
    )
    receive(PERSISTENT_GRADE_SUMMARY_CHANGED, at, grade=grade)


def receive_certificate(signal, user_id, status, at=NOW, grade="0.9"):
    certificate = CertificateData(
        user=told_of(user_id),
        course=COURSE,
        mode="verified",
        grade=grade,
        download_url="https://certificates.example.com/1",
        name="Marker",
        current_status=status,
        previous_status="",
    )
    receive(signal, at, certificate=certificate)


@pytest.mark.rule("enrollment.results.grades")
class TestGrades:
    def test_a_grade_is_kept_with_everything_it_says(self):
        user = UserFactory()
        receive_grade(user.pk, 0.875)
        row = CourseGrade.objects.get()
        assert (row.user_id, row.course_id, row.percent_grade, row.letter_grade) == (user.pk, str(KEY), 0.875, "Pass")
        assert (row.passed_timestamp, row.reported_at) == (NOW - DAY, NOW)
        assert (row.course_version, row.grading_policy_hash) == ("version", "hash")

    @pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
    def test_the_newest_report_counts_in_any_order(self, order):
        user = UserFactory()
        for day in order:
            receive_grade(user.pk, day / 10, at=NOW + day * DAY)
        row = CourseGrade.objects.get()
        assert (row.percent_grade, row.reported_at) == (0.3, NOW + 3 * DAY)

    def test_a_row_from_an_import_gives_way(self):
        row = CourseGrade.objects.create(user=UserFactory(), course_id=str(KEY), percent_grade=0.1)
        receive_grade(row.user_id, 0.9)
        row.refresh_from_db()
        assert row.percent_grade == 0.9

    def test_a_repeated_report_writes_nothing(self):
        user = UserFactory()
        receive_grade(user.pk, 0.9)
        before = list(CourseGrade.objects.values())
        with statements() as run:
            receive_grade(user.pk, 0.9)
        assert list(CourseGrade.objects.values()) == before
        assert not [sql for sql in run.texts if not sql.startswith("SELECT")]

    @pytest.mark.parametrize("percent", [float("nan"), float("-inf"), -0.01, 1.5])
    def test_what_is_no_fraction_is_ignored(self, percent, caplog):
        user = UserFactory()
        receive_grade(user.pk, percent)
        assert not CourseGrade.objects.exists()
        assert f"User {user.pk} " in caplog.text

    def test_nobody_known_is_ignored(self, caplog):
        receive_grade(404, 0.9)
        assert not CourseGrade.objects.exists()
        assert "User 404, " in caplog.text

    @pytest.mark.django_db(transaction=True)
    def test_what_the_database_refuses_is_the_consumers_to_see(self, settings):
        if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
            return  # it takes texts of any length
        user = UserFactory()
        with pytest.raises(DatabaseError):
            receive_grade(user.pk, 0.9, letter="x" * 300)
        assert not CourseGrade.objects.exists()


@pytest.mark.rule("enrollment.results.certificates")
class TestCertificates:
    @pytest.mark.parametrize(
        ("signal", "status", "is_passing"),
        [
            (CERTIFICATE_CREATED, "downloadable", True),
            (CERTIFICATE_CREATED, "generating", True),
            (CERTIFICATE_CREATED, "notpassing", False),
            (CERTIFICATE_CHANGED, "downloadable", True),
            (CERTIFICATE_REVOKED, "unavailable", False),
        ],
    )
    def test_a_certificate_is_kept_without_the_learners_name(self, signal, status, is_passing):
        user = UserFactory()
        receive_certificate(signal, user.pk, status)
        [row] = CourseCertificate.objects.values()
        assert (row["user_id"], row["course_id"], row["mode"]) == (user.pk, str(KEY), "verified")
        assert (row["status"], row["grade"], row["reported_at"]) == (status, "0.9", NOW)
        assert row["download_url"] == "https://certificates.example.com/1"
        assert row["awarded_at"] == (NOW if is_passing else None)
        assert not any("marker" in str(value).lower() for value in row.values())

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_the_newest_report_and_the_earliest_award_count_in_any_order(self, order):
        user = UserFactory()
        reports = [
            (CERTIFICATE_CREATED, "downloadable", NOW),
            (CERTIFICATE_CHANGED, "downloadable", NOW + DAY),
            (CERTIFICATE_REVOKED, "unavailable", NOW + 2 * DAY),
        ]
        for number in order:
            signal, status, at = reports[number]
            receive_certificate(signal, user.pk, status, at=at)
        row = CourseCertificate.objects.get()
        assert (row.status, row.reported_at, row.awarded_at) == ("unavailable", NOW + 2 * DAY, NOW)
        assert not row.is_passing

    def test_a_repeated_report_writes_nothing(self):
        user = UserFactory()
        for _ in range(2):
            before = list(CourseCertificate.objects.values())
            receive_certificate(CERTIFICATE_CREATED, user.pk, "downloadable")
        assert list(CourseCertificate.objects.values()) == before

    def test_nobody_known_is_ignored(self, caplog):
        receive_certificate(CERTIFICATE_CREATED, 404, "downloadable")
        assert not CourseCertificate.objects.exists()
        assert "User 404, " in caplog.text
        assert "marker" not in caplog.text.lower()


@pytest.mark.parametrize(
    "record",
    [
        lambda key: api.record_course_grade(1, key, reported_at=NOW, percent_grade=0.5),
        lambda key: api.record_course_certificate(1, key, reported_at=NOW, status="downloadable"),
    ],
)
def test_what_is_no_course_key_is_refused(record):
    with pytest.raises(InvalidCourseKeyError):
        record("nonsense")


@pytest.mark.rule("enrollment.invitations.registration")
class TestRegistration:
    @pytest.fixture
    def invited(self):
        """An account that was made without our signals, and its invitation."""
        [user] = type(UserFactory.build()).objects.bulk_create([UserFactory.build(email="New@example.com")])
        CourseEnrollmentAllowedFactory(email="new@example.com", course_id=CourseFactory().id, auto_enroll=True)
        return user

    def register(self, user_id):
        receive(STUDENT_REGISTRATION_COMPLETED, NOW, user=told_of(user_id))

    def test_takes_up_pending_invitations_and_again_changes_nothing(self, invited):
        for _ in range(2):
            self.register(invited.pk)
            assert CourseEnrollment.objects.get().is_active

    def test_may_be_switched_off(self, invited, settings):
        settings.ENROLLMENT_AUTO_ENROLL_PENDING = False
        self.register(invited.pk)
        assert not CourseEnrollment.objects.exists()

    def test_of_nobody_known_is_ignored(self, invited, caplog):
        self.register(404)
        assert not CourseEnrollment.objects.exists()
        assert "User 404 " in caplog.text
        assert "marker" not in caplog.text.lower()


@pytest.mark.slow
@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("enrollment.results.concurrency")
def test_reports_at_the_same_moment_end_with_the_newest():
    user = UserFactory()
    for round_ in range(10):
        key = f"course-v1:edX+Demo+{round_}"
        results = in_parallel(
            *(
                lambda day=day, key=key: api.record_course_grade(
                    user.pk, key, reported_at=NOW + day * DAY, percent_grade=day / 10
                )
                for day in (2, 1, 3)
            )
        )
        assert not [result for result in results if isinstance(result, Exception)]
        row = CourseGrade.objects.get(course_id=key)
        assert (row.percent_grade, row.reported_at) == (0.3, NOW + 3 * DAY)
