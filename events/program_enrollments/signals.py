"""One constant per program event. `time` is the row's `modified`."""

from events.program_enrollments.data import (
    ProgramCourseEnrollmentData,
    ProgramEnrollmentData,
)
from events.tooling import PROJECT, OpenEdxPublicSignal
from events.types import About

TOPIC = "learning-program-enrollment-lifecycle"

PROGRAM_ENROLLMENT_CREATED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.program.enrollment.created.v1",
    data={"program_enrollment": ProgramEnrollmentData},
    about=About(
        "A learner was enrolled in a program.",
        sender="program_enrollments",
        topic=TOPIC,
        key="program_enrollment.program_uuid",
    ),
)

PROGRAM_ENROLLMENT_CHANGED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.program.enrollment.changed.v1",
    data={"program_enrollment": ProgramEnrollmentData},
    about=About(
        "A program enrollment's status changed.",
        sender="program_enrollments",
        topic=TOPIC,
        key="program_enrollment.program_uuid",
    ),
)

PROGRAM_ENROLLMENT_LINKED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.program.enrollment.linked.v1",
    data={"program_enrollment": ProgramEnrollmentData},
    about=About(
        "A program enrollment was attached to an account.",
        sender="program_enrollments",
        topic=TOPIC,
        key="program_enrollment.program_uuid",
    ),
)

PROGRAM_ENROLLMENT_UNLINKED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.program.enrollment.unlinked.v1",
    data={"program_enrollment": ProgramEnrollmentData},
    about=About(
        "A program enrollment was detached from its account.",
        sender="program_enrollments",
        topic=TOPIC,
        key="program_enrollment.program_uuid",
    ),
)

PROGRAM_COURSE_ENROLLMENT_CREATED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.program.course_enrollment.created.v1",
    data={"program_course_enrollment": ProgramCourseEnrollmentData},
    about=About(
        "A learner was enrolled in a course run as part of a program.",
        sender="program_enrollments",
        topic=TOPIC,
        key="program_course_enrollment.program_enrollment.program_uuid",
    ),
)

PROGRAM_COURSE_ENROLLMENT_CHANGED = OpenEdxPublicSignal(
    event_type=f"{PROJECT}.learning.program.course_enrollment.changed.v1",
    data={"program_course_enrollment": ProgramCourseEnrollmentData},
    about=About(
        "The status of an enrollment in a course run as part of a program changed.",
        sender="program_enrollments",
        topic=TOPIC,
        key="program_course_enrollment.program_enrollment.program_uuid",
    ),
)
