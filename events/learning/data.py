"""Payloads of the `learning` events. Fields, order and defaults are the wire format: they never change.

Classes that are in-process only hold what the encoders of Open edX services cannot agree on.
"""

from datetime import datetime

import attrs
from ccx_keys.locator import CCXLocator
from opaque_keys.edx.keys import CourseKey, UsageKey

from events.types import BareDict, Nullable


@attrs.frozen(slots=False, order=True)
class UserNonPersonalData:
    """A user, without anything that tells who it is.

    Attributes:
        id: primary key of the user.
        is_active: whether the user may log in.
    """

    id: int
    is_active: bool


@attrs.frozen(slots=False, order=True)
class UserPersonalData:
    """What tells who a user is.

    Attributes:
        username: the name for logging in.
        email: the address.
        name: the full name of the profile; "" if unknown.
    """

    username: str
    email: str
    name: str = attrs.field(factory=str)


@attrs.frozen(slots=False, order=True)
class UserData(UserNonPersonalData):
    """A user and who it is.

    Attributes:
        pii: personal data.
    """

    pii: UserPersonalData


@attrs.frozen(slots=False, order=True)
class CourseData:
    """A course run.

    Attributes:
        course_key: identity of the run.
        display_name: title; "" if unknown.
        start: when the run begins, aware; None if unknown.
        end: when the run ends, aware; None if unknown or open.
    """

    course_key: CourseKey
    display_name: str = attrs.field(factory=str)
    start: Nullable[datetime] = None
    end: Nullable[datetime] = None


@attrs.frozen(slots=False, order=True)
class CcxCourseData:
    """A custom course: a coach's own edition of a course run, with dates and learners of its own.

    Attributes:
        ccx_course_key: identity of the custom course.
        master_course_key: the run that it is made from.
        display_name: title; "" if unknown.
        coach_email: the coach's address; "" if unknown.
        start: when it begins, as text; None if unknown.
        end: when it ends, as text; None if unknown or open.
        max_students_allowed: how many learners it may have; None if there is no limit.
    """

    ccx_course_key: CCXLocator
    master_course_key: CourseKey
    display_name: str = attrs.field(factory=str)
    coach_email: str = attrs.field(factory=str)
    start: Nullable[str] = None
    end: Nullable[str] = None
    max_students_allowed: Nullable[int] = None


@attrs.frozen(slots=False, order=True)
class CourseEnrollmentData:
    """A learner's enrollment in a course run, as it is after the change.

    Attributes:
        user: the learner.
        course: the run.
        mode: slug of the course mode, such as `audit` or `verified`.
        is_active: False once the learner has left.
        creation_date: when the enrollment was first made, aware.
        created_by: who enrolled the learner; None if that is not told.
    """

    user: UserData
    course: CourseData
    mode: str
    is_active: bool
    creation_date: datetime
    created_by: Nullable[UserData] = None


@attrs.frozen(slots=False, order=True)
class CourseAccessRoleData:
    """A role that a user has in a course run or an organization.

    Attributes:
        user: who has it.
        org_key: key of the organization.
        course_key: the run.
        role: the role, such as `staff` or `instructor`.
    """

    user: UserData
    org_key: str
    course_key: CourseKey
    role: str


@attrs.frozen(slots=False, order=True)
class CohortData:
    """A learner's membership in a cohort.

    Attributes:
        user: the learner.
        course: the run.
        name: name of the cohort.
    """

    user: UserData
    course: CourseData
    name: str


@attrs.frozen(slots=False, order=True)
class ExamAttemptData:
    """One attempt of a learner at an exam.

    Attributes:
        student_user: the learner.
        course_key: the run that the exam belongs to.
        usage_key: the exam's block in that run.
        exam_type: kind of exam, such as `timed` or `proctored`.
        requesting_user: who caused the change; None if nobody but the learner or a process.
    """

    student_user: UserData
    course_key: CourseKey
    usage_key: UsageKey
    exam_type: str
    requesting_user: Nullable[UserData] = None


@attrs.frozen(slots=False, order=True)
class PersistentCourseGradeData:
    """A learner's stored grade in a course run. Only grades of learners who have passed travel between services.

    Attributes:
        user_id: primary key of the learner.
        course: the run.
        course_edited_timestamp: when the content that was graded had last been edited, aware.
        course_version: version of that content.
        grading_policy_hash: fingerprint of the grading policy.
        percent_grade: the grade, 0 to 1.
        letter_grade: the grade's name, such as `Pass`; "" below the lowest.
        passed_timestamp: when the learner first passed, aware.
    """

    user_id: int
    course: CourseData
    course_edited_timestamp: datetime
    course_version: str
    grading_policy_hash: str
    percent_grade: float
    letter_grade: str
    passed_timestamp: datetime


@attrs.frozen(slots=False, order=True)
class CoursePassingStatusData:
    """Whether a learner's grade in a course run is at present a passing one.

    Attributes:
        is_passing: whether it is.
        course: the run.
        user: the learner.
    """

    is_passing: bool
    course: CourseData
    user: UserData


@attrs.frozen(slots=False, order=True)
class CcxCoursePassingStatusData(CoursePassingStatusData):
    """Whether a learner's grade in a custom course is at present a passing one.

    Attributes:
        course: the custom course; stands last on the wire.

    It is its base by class only: its `course` has another shape, so it cannot be sent in its base's place.
    """

    course: CcxCourseData  # type: ignore[assignment]  # upstream narrows it to what is no CourseData


@attrs.frozen(slots=False, order=True)
class CertificateData:
    """A learner's certificate for a course run, as it is after the change.

    Attributes:
        user: the learner.
        course: the run.
        mode: slug of the course mode that it was earned in, such as `verified`.
        grade: final grade as a decimal number, 0 to 1; "" if unknown.
        download_url: address of the document; "" if there is none.
        name: the learner's name as the certificate shows it.
        current_status: state of the certificate, such as `downloadable` or `notpassing`.
        previous_status: the state before; "" if there was none or it is not told.
    """

    user: UserData
    course: CourseData
    mode: str
    grade: str
    download_url: str
    name: str
    current_status: str
    previous_status: str = attrs.field(factory=str)


@attrs.frozen(slots=False, order=True)
class ProgramData:
    """A program: courses that lead to one certificate.

    Attributes:
        uuid: identity, in UUID form.
        title: title.
        program_type: slug of the kind of program, such as `masters`.
    """

    uuid: str
    title: str
    program_type: str


@attrs.frozen(slots=False, order=True)
class ProgramCertificateData:
    """A learner's certificate for a program.

    Attributes:
        user: the learner.
        program: the program.
        uuid: identity of the certificate, in UUID form.
        status: state of the certificate: `awarded` or `revoked`.
        url: address of its page.
        certificate_available_date: from when it is shown, aware; None if at once.
    """

    user: UserData
    program: ProgramData
    uuid: str
    status: str
    url: str
    certificate_available_date: Nullable[datetime] = None


@attrs.frozen(slots=False, order=True)
class BadgeTemplateData:
    """A kind of badge.

    Attributes:
        uuid: identity of the template.
        origin: system that issues the badge, such as `credly`.
        name: title; None if unknown.
        description: what it is awarded for; None if unknown.
        image_url: address of its picture; None if there is none.
    """

    uuid: str
    origin: str
    name: Nullable[str] = None
    description: Nullable[str] = None
    image_url: Nullable[str] = None


@attrs.frozen(slots=False, order=True)
class BadgeData:
    """A badge that a learner has been awarded.

    Attributes:
        uuid: identity of the award.
        user: the learner.
        template: kind of badge.
    """

    uuid: str
    user: UserData
    template: BadgeTemplateData


@attrs.frozen(slots=False, order=True)
class VerificationAttemptData:
    """A user's attempt to prove who they are.

    Attributes:
        attempt_id: primary key of the attempt.
        user: the user.
        status: state of the attempt, such as `approved` or `denied`.
        name: the name on the document; None if it is not told.
        expiration_date: until when an approval holds, aware; None if it does not end or is none.
    """

    attempt_id: int
    user: UserData
    status: str
    name: Nullable[str] = None
    expiration_date: Nullable[datetime] = None


@attrs.frozen(slots=False, order=True)
class XBlockSkillVerificationData:
    """What learners said about the skills that a block is tagged with.

    Attributes:
        usage_key: the block.
        verified_skills: primary keys of the skills that it teaches.
        ignored_skills: primary keys of the skills that it does not teach.
    """

    usage_key: UsageKey
    verified_skills: list[int] = attrs.field(factory=list)
    ignored_skills: list[int] = attrs.field(factory=list)


@attrs.frozen(slots=False, order=True)
class LtiProviderLaunchParamsData:
    """What a learning platform told when it opened a block as its tool.

    Attributes:
        roles: the user's roles there, separated by commas.
        context_id: identity of the course there.
        user_id: identity of the user there.
        extra_params: further launch parameters by name.
    """

    roles: str
    context_id: str
    user_id: str
    extra_params: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen(slots=False, order=True)
class LtiProviderLaunchData:
    """A block was opened as a tool of another learning platform.

    Attributes:
        user: the account that the other platform's user has here.
        course_key: the run that the block belongs to.
        usage_key: the block.
        launch_params: what the other platform told.
    """

    user: UserData
    course_key: CourseKey
    usage_key: UsageKey
    launch_params: LtiProviderLaunchParamsData


@attrs.frozen(slots=False, order=True)
class ExternalGraderScoreData:
    """What an outside grader found about a submission. Stays within a process.

    Attributes:
        points_possible: points that could be earned.
        points_earned: points that were earned.
        course_id: key of the run.
        score_msg: the grader's message.
        submission_id: primary key of the submission.
        user_id: the learner, under a name that only the course knows.
        module_id: key of the block.
        queue_key: identity of the submission in the queue.
        queue_name: name of the grader's queue.
    """

    points_possible: int
    points_earned: int
    course_id: str
    score_msg: str
    submission_id: int
    user_id: str
    module_id: str
    queue_key: str
    queue_name: str


@attrs.frozen(slots=False, order=True)
class DiscussionTopicContext:
    """A discussion topic and the block that it belongs to. In-process only.

    Attributes:
        title: title of the topic.
        usage_key: the block; None for a topic of the whole course.
        group_id: primary key of the cohort that it is for; None if it is for all.
        external_id: identity in the discussion system; None if it has none yet.
        ordering: place among the topics, from 0; None if unordered.
        context: further facts by name.
    """

    title: str
    usage_key: Nullable[UsageKey] = None
    group_id: int | None = None
    external_id: Nullable[str] = None
    ordering: Nullable[int] = None
    context: BareDict = attrs.field(factory=dict)


@attrs.frozen(slots=False, order=True)
class CourseDiscussionConfigurationData:
    """How discussions are set up in a course run. In-process only.

    Attributes:
        course_key: the run.
        provider_type: the discussion system.
        enable_in_context: whether units have discussions of their own.
        enable_graded_units: whether graded units have them too.
        unit_level_visibility: whether each unit says whether it has one.
        plugin_configuration: settings of the discussion system by name.
        contexts: all topics.
    """

    course_key: CourseKey
    provider_type: str
    enable_in_context: bool = True
    enable_graded_units: bool = False
    unit_level_visibility: bool = False
    plugin_configuration: BareDict = attrs.field(factory=dict)
    contexts: list[DiscussionTopicContext] = attrs.field(factory=list)


@attrs.frozen(slots=False, order=True)
class DiscussionThreadData:
    """A post, an answer or a comment in a discussion. In-process only.

    Attributes:
        anonymous: whether nobody sees the author.
        anonymous_to_peers: whether other learners do not see the author.
        body: the text.
        category_id: primary key of the category.
        category_name: name of the category.
        commentable_id: identity of the topic.
        group_id: primary key of the cohort that sees it.
        id: identity of the post.
        team_id: primary key of the team that sees it.
        thread_type: `discussion` or `question`.
        title: the title.
        title_truncated: whether the title was cut.
        truncated: whether the text was cut.
        url: address of the post.
        user: the author.
        course_id: the run.
        discussion: the post that is answered.
        user_course_roles: the author's roles in the run.
        user_forums_roles: the author's roles in its discussions.
        options: further facts by name.
    """

    anonymous: bool
    anonymous_to_peers: bool
    body: str
    category_id: int
    category_name: str
    commentable_id: str
    group_id: int
    id: int
    team_id: int
    thread_type: str
    title: str
    title_truncated: bool
    truncated: bool
    url: str
    user: UserData
    course_id: CourseKey
    discussion: BareDict = attrs.field(factory=dict)
    user_course_roles: list[str] = attrs.field(factory=list)
    user_forums_roles: list[str] = attrs.field(factory=list)
    options: BareDict = attrs.field(factory=dict)


@attrs.frozen(slots=False, order=True)
class CourseNotificationData:
    """A notification for learners of a course run who are yet to be found. In-process only.

    Attributes:
        course_key: the run.
        app_name: app that asks for it, such as `discussion`.
        notification_type: kind of notification.
        content_url: address of what it tells about.
        content_context: values for its text, by name.
        audience_filters: who gets it: values to match, by the filter's name.
    """

    course_key: CourseKey
    app_name: str
    notification_type: str
    content_url: str
    content_context: BareDict = attrs.field(factory=dict)
    audience_filters: BareDict = attrs.field(factory=dict)


@attrs.frozen(slots=False, order=True)
class UserNotificationData:
    """A notification for given users. In-process only.

    Attributes:
        user_ids: primary keys of the users.
        notification_type: kind of notification.
        content_url: address of what it tells about.
        app_name: app that asks for it, such as `discussion`.
        course_key: the run that it is about.
        context: values for its text, by name.
    """

    user_ids: list[int]
    notification_type: str
    content_url: str
    app_name: str
    course_key: CourseKey
    context: BareDict = attrs.field(factory=dict)


@attrs.frozen(slots=False, order=True)
class ORASubmissionAnswer:
    """What a learner handed in for an open response assessment. In-process only.

    Attributes:
        parts: the answer to each prompt.
        file_keys: identity of each file in the storage.
        file_descriptions: the learner's description of each file.
        file_names: name of each file.
        file_sizes: size of each file in bytes.
        file_urls: address of each file.
    """

    parts: list[BareDict] = attrs.field(factory=list)
    file_keys: list[str] = attrs.field(factory=list)
    file_descriptions: list[str] = attrs.field(factory=list)
    file_names: list[str] = attrs.field(factory=list)
    file_sizes: list[int] = attrs.field(factory=list)
    file_urls: list[str] = attrs.field(factory=list)


@attrs.frozen(slots=False, order=True)
class ORASubmissionData:
    """A submission to an open response assessment. In-process only.

    Attributes:
        uuid: identity of the submission.
        anonymous_user_id: the learner, under a name that only the course knows.
        location: key of the assessment's block.
        attempt_number: counts the learner's attempts, from 1.
        created_at: when it was begun, aware.
        submitted_at: when it was handed in, aware.
        answer: what was handed in.
    """

    uuid: str
    anonymous_user_id: str
    location: str
    attempt_number: int
    created_at: datetime
    submitted_at: datetime
    answer: ORASubmissionAnswer
