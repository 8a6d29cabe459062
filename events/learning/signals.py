"""One constant per `learning` event, named like its type."""

from events.learning.data import CourseEnrollmentData, ExamAttemptData, PersistentCourseGradeData
from events.tooling import OpenEdxPublicSignal

# A learner was enrolled in a course run. Emitted by this service.
COURSE_ENROLLMENT_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.enrollment.created.v1",
    data={"enrollment": CourseEnrollmentData},
)

# An enrollment's mode or activity changed. Emitted by this service.
COURSE_ENROLLMENT_CHANGED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.enrollment.changed.v1",
    data={"enrollment": CourseEnrollmentData},
)

# A learner left a course run. Emitted by this service.
COURSE_UNENROLLMENT_COMPLETED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.unenrollment.completed.v1",
    data={"enrollment": CourseEnrollmentData},
)

# A learner handed in an exam attempt. Emitted by the exams service, as the next four.
EXAM_ATTEMPT_SUBMITTED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.submitted.v1",
    data={"exam_attempt": ExamAttemptData},
)

# An exam attempt was found to be in order.
EXAM_ATTEMPT_VERIFIED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.verified.v1",
    data={"exam_attempt": ExamAttemptData},
)

# An exam attempt was found not to be in order.
EXAM_ATTEMPT_REJECTED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.rejected.v1",
    data={"exam_attempt": ExamAttemptData},
)

# An exam attempt ended by a technical error.
EXAM_ATTEMPT_ERRORED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.errored.v1",
    data={"exam_attempt": ExamAttemptData},
)

# An exam attempt was wiped, so that the learner can try again.
EXAM_ATTEMPT_RESET = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.reset.v1",
    data={"exam_attempt": ExamAttemptData},
)

# A learner's stored grade in a course run changed. Emitted by the grading service.
PERSISTENT_GRADE_SUMMARY_CHANGED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.persistent_grade_summary.changed.v1",
    data={"grade": PersistentCourseGradeData},
)
