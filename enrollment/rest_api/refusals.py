"""Why a call is refused before `enrollment.api` is asked; each in three lines, as the app's other errors."""

from coursecredit.errors import Invalid, NotAllowed, NotFound
from enrollment.errors import UserNotFoundError


class LearnerHidden(NotFound):
    """There is no such enrollment that you may see or change."""

    code = "not_found"


class CourseIdMissing(Invalid):
    """Course ID must be specified to create a new enrollment: give it as `course_details.course_id`."""

    code = "course_id_missing"


class TargetMissing(UserNotFoundError):
    """Nobody was named: say in `user` or `email` whose enrollment it is to be."""

    code = "target_missing"


class ModeForbidden(NotAllowed):
    """Learners may not ask for this mode themselves."""

    code = "mode_forbidden"


class InvalidForce(Invalid):
    """`force_enrollment` must be true, false or null."""

    code = "invalid_force_enrollment"


class MalformedField(Invalid):
    """A field of the body is of the wrong type."""

    code = "malformed_body"


class InvitationIncomplete(Invalid):
    """Both `email` and `course_id` are required."""

    code = "invitation_incomplete"


class InvalidAutoEnroll(Invalid):
    """`auto_enroll` must be true or false."""

    code = "invalid_auto_enroll"


class FileMissing(Invalid):
    """There is no file: send it as `file` of a multipart form, or as the body itself in CSV or JSON lines."""

    code = "file_missing"
