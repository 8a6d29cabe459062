"""One constant per `learning` event, named like its type."""

from events.learning.data import (
    BadgeData,
    CcxCoursePassingStatusData,
    CertificateData,
    CohortData,
    CourseAccessRoleData,
    CourseDiscussionConfigurationData,
    CourseEnrollmentData,
    CourseNotificationData,
    CoursePassingStatusData,
    DiscussionThreadData,
    ExamAttemptData,
    ExternalGraderScoreData,
    LtiProviderLaunchData,
    ORASubmissionData,
    PersistentCourseGradeData,
    ProgramCertificateData,
    UserData,
    UserNotificationData,
    VerificationAttemptData,
    XBlockSkillVerificationData,
)
from events.tooling import OpenEdxPublicSignal
from events.types import About

LMS = "the learning platform"
STUDIO = "the authoring platform"
EXAMS = "the exams service"
GRADES = "the grading service"
CERTIFICATES = "the certificates service"
CREDENTIALS = "the credentials service"
ENROLLMENT = "enrollment"

STUDENT_REGISTRATION_COMPLETED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.student.registration.completed.v1",
    data={"user": UserData},
    about=About(
        "Somebody made an account.",
        sender=LMS,
        key="user.pii.username",
    ),
)

SESSION_LOGIN_COMPLETED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.auth.session.login.completed.v1",
    data={"user": UserData},
    about=About(
        "A user logged in.",
        sender=LMS,
        key="user.pii.username",
    ),
)

COURSE_ENROLLMENT_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.enrollment.created.v1",
    data={"enrollment": CourseEnrollmentData},
    about=About(
        "A learner was enrolled in a course run, for the first time or again.",
        sender=ENROLLMENT,
        topic="learning-course-enrollment-lifecycle",
        key="enrollment.course.course_key",
    ),
)

COURSE_ENROLLMENT_CHANGED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.enrollment.changed.v1",
    data={"enrollment": CourseEnrollmentData},
    about=About(
        "An enrollment's mode or activity changed.",
        sender=ENROLLMENT,
        topic="learning-course-enrollment-lifecycle",
        key="enrollment.course.course_key",
    ),
)

COURSE_UNENROLLMENT_COMPLETED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.unenrollment.completed.v1",
    data={"enrollment": CourseEnrollmentData},
    about=About(
        "A learner left a course run.",
        sender=ENROLLMENT,
        topic="learning-course-enrollment-lifecycle",
        key="enrollment.course.course_key",
    ),
)

CERTIFICATE_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.certificate.created.v1",
    data={"certificate": CertificateData},
    about=About(
        "A learner was given a certificate for a course run.",
        sender=CERTIFICATES,
        topic="learning-certificate-lifecycle",
        key="certificate.course.course_key",
    ),
)

PROGRAM_CERTIFICATE_AWARDED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.program.certificate.awarded.v1",
    data={"program_certificate": ProgramCertificateData},
    about=About(
        "A learner was given a certificate for a program.",
        sender=CREDENTIALS,
        topic="learning-program-certificate-lifecycle",
        key="program_certificate.program.uuid",
    ),
)

CERTIFICATE_CHANGED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.certificate.changed.v1",
    data={"certificate": CertificateData},
    about=About(
        "A course certificate's state changed.",
        sender=CERTIFICATES,
        topic="learning-certificate-lifecycle",
        key="certificate.course.course_key",
    ),
)

CERTIFICATE_REVOKED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.certificate.revoked.v1",
    data={"certificate": CertificateData},
    about=About(
        "A course certificate was taken back.",
        sender=CERTIFICATES,
        topic="learning-certificate-lifecycle",
        key="certificate.course.course_key",
    ),
)

PROGRAM_CERTIFICATE_REVOKED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.program.certificate.revoked.v1",
    data={"program_certificate": ProgramCertificateData},
    about=About(
        "A program certificate was taken back.",
        sender=CREDENTIALS,
        topic="learning-program-certificate-lifecycle",
        key="program_certificate.program.uuid",
    ),
)

COHORT_MEMBERSHIP_CHANGED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.cohort_membership.changed.v1",
    data={"cohort": CohortData},
    about=About(
        "A learner was put into a cohort.",
        sender=LMS,
        key="cohort.course.course_key",
    ),
)

COURSE_DISCUSSIONS_CHANGED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.discussions.configuration.changed.v1",
    data={"configuration": CourseDiscussionConfigurationData},
    about=About(
        "The set-up of a course run's discussions changed.",
        sender=STUDIO,
    ),
)

PERSISTENT_GRADE_SUMMARY_CHANGED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.persistent_grade_summary.changed.v1",
    data={"grade": PersistentCourseGradeData},
    about=About(
        "A learner's stored grade in a course run changed.",
        sender=GRADES,
        key="grade.course.course_key",
    ),
)

XBLOCK_SKILL_VERIFIED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.xblock.skill.verified.v1",
    data={"xblock_info": XBlockSkillVerificationData},
    about=About(
        "Learners' opinions on a block's skills were counted.",
        sender=LMS,
        key="xblock_info.usage_key",
    ),
)

USER_NOTIFICATION_REQUESTED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.user.notification.requested.v1",
    data={"notification_data": UserNotificationData},
    about=About(
        "Given users are to be notified of something.",
        sender=LMS,
    ),
)

EXAM_ATTEMPT_SUBMITTED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.submitted.v1",
    data={"exam_attempt": ExamAttemptData},
    about=About(
        "A learner handed in an exam attempt.",
        sender=EXAMS,
        topic="learning-exam-attempt-lifecycle",
        key="exam_attempt.course_key",
    ),
)

EXAM_ATTEMPT_REJECTED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.rejected.v1",
    data={"exam_attempt": ExamAttemptData},
    about=About(
        "An exam attempt was found not to be in order.",
        sender=EXAMS,
        topic="learning-exam-attempt-lifecycle",
        key="exam_attempt.course_key",
    ),
)

EXAM_ATTEMPT_VERIFIED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.verified.v1",
    data={"exam_attempt": ExamAttemptData},
    about=About(
        "An exam attempt was found to be in order.",
        sender=EXAMS,
        topic="learning-exam-attempt-lifecycle",
        key="exam_attempt.course_key",
    ),
)

EXAM_ATTEMPT_ERRORED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.errored.v1",
    data={"exam_attempt": ExamAttemptData},
    about=About(
        "An exam attempt ended by a technical error.",
        sender=EXAMS,
        topic="learning-exam-attempt-lifecycle",
        key="exam_attempt.course_key",
    ),
)

EXAM_ATTEMPT_RESET = OpenEdxPublicSignal(
    event_type="org.openedx.learning.exam.attempt.reset.v1",
    data={"exam_attempt": ExamAttemptData},
    about=About(
        "An exam attempt was wiped, so that the learner can try again.",
        sender=EXAMS,
        topic="learning-exam-attempt-lifecycle",
        key="exam_attempt.course_key",
    ),
)

COURSE_ACCESS_ROLE_ADDED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.user.course_access_role.added.v1",
    data={"course_access_role_data": CourseAccessRoleData},
    about=About(
        "A user was given a role in a course run.",
        sender=ENROLLMENT,
        topic="learning-course-access-role-lifecycle",
        key="course_access_role_data.course_key",
    ),
)

COURSE_ACCESS_ROLE_REMOVED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.user.course_access_role.removed.v1",
    data={"course_access_role_data": CourseAccessRoleData},
    about=About(
        "A user's role in a course run was taken back.",
        sender=ENROLLMENT,
        topic="learning-course-access-role-lifecycle",
        key="course_access_role_data.course_key",
    ),
)

FORUM_THREAD_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.forum.thread.created.v1",
    data={"thread": DiscussionThreadData},
    about=About(
        "A discussion was begun.",
        sender=LMS,
    ),
)

FORUM_THREAD_RESPONSE_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.forum.thread.response.created.v1",
    data={"thread": DiscussionThreadData},
    about=About(
        "Somebody answered in a discussion.",
        sender=LMS,
    ),
)

FORUM_RESPONSE_COMMENT_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.forum.thread.response.comment.created.v1",
    data={"thread": DiscussionThreadData},
    about=About(
        "Somebody commented on an answer in a discussion.",
        sender=LMS,
    ),
)

COURSE_NOTIFICATION_REQUESTED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.notification.requested.v1",
    data={"course_notification_data": CourseNotificationData},
    about=About(
        "Learners of a course run are to be notified of something.",
        sender=LMS,
    ),
)

ORA_SUBMISSION_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.ora.submission.created.v1",
    data={"submission": ORASubmissionData},
    about=About(
        "A learner handed in an open response assessment.",
        sender=LMS,
    ),
)

COURSE_PASSING_STATUS_UPDATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.course.passing.status.updated.v1",
    data={"course_passing_status": CoursePassingStatusData},
    about=About(
        "A learner's grade in a course run became a passing one, or ceased to be.",
        sender=GRADES,
        topic="learning-badges-lifecycle",
        key="course_passing_status.course.course_key",
    ),
)

CCX_COURSE_PASSING_STATUS_UPDATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.ccx.course.passing.status.updated.v1",
    data={"course_passing_status": CcxCoursePassingStatusData},
    about=About(
        "A learner's grade in a custom course became a passing one, or ceased to be.",
        sender=GRADES,
        topic="learning-badges-lifecycle",
        key="course_passing_status.course.master_course_key",
    ),
)

BADGE_AWARDED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.badge.awarded.v1",
    data={"badge": BadgeData},
    about=About(
        "A learner was awarded a badge.",
        sender=CREDENTIALS,
        topic="learning-badges-lifecycle",
        key="badge.uuid",
    ),
)

BADGE_REVOKED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.badge.revoked.v1",
    data={"badge": BadgeData},
    about=About(
        "A badge was taken back.",
        sender=CREDENTIALS,
        topic="learning-badges-lifecycle",
        key="badge.uuid",
    ),
)

IDV_ATTEMPT_CREATED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.idv_attempt.created.v1",
    data={"idv_attempt": VerificationAttemptData},
    about=About(
        "A user began to prove who they are.",
        sender=LMS,
        key="idv_attempt.user.id",
    ),
)

IDV_ATTEMPT_PENDING = OpenEdxPublicSignal(
    event_type="org.openedx.learning.idv_attempt.pending.v1",
    data={"idv_attempt": VerificationAttemptData},
    about=About(
        "A user handed in what proves who they are.",
        sender=LMS,
        key="idv_attempt.user.id",
    ),
)

IDV_ATTEMPT_APPROVED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.idv_attempt.approved.v1",
    data={"idv_attempt": VerificationAttemptData},
    about=About(
        "A user proved who they are.",
        sender=LMS,
        key="idv_attempt.user.id",
    ),
)

IDV_ATTEMPT_DENIED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.idv_attempt.denied.v1",
    data={"idv_attempt": VerificationAttemptData},
    about=About(
        "What a user handed in did not prove who they are.",
        sender=LMS,
        key="idv_attempt.user.id",
    ),
)

EXTERNAL_GRADER_SCORE_SUBMITTED = OpenEdxPublicSignal(
    event_type="org.openedx.learning.external_grader.score.submitted.v1",
    data={"score": ExternalGraderScoreData},
    about=About(
        "An outside grader returned a score.",
        sender=LMS,
    ),
)

LTI_PROVIDER_LAUNCH_SUCCESS = OpenEdxPublicSignal(
    event_type="org.openedx.learning.lti_provider.launch.success.v1",
    data={"launch_data": LtiProviderLaunchData},
    about=About(
        "A user of another learning platform opened a block here as a tool.",
        sender=LMS,
        key="launch_data.course_key",
    ),
)
