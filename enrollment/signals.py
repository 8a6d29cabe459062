"""Signals inside this process (enrollment contract 11.2). Those about enrollments are sent after the commit, robustly.

Other services hear the public events of `events.learning.signals` instead.
"""

from django.dispatch import Signal

# A learner was enrolled or left. Arguments: event ("enroll" or "unenroll"; shop code sends "upgrade_start",
# "upgrade_complete", "paid_start" and "paid_complete"), user, mode, course_id (text), cost and currency (None here).
ENROLL_STATUS_CHANGE = Signal()

# An enrollment moved to another mode. Arguments: user, course_key, mode, countdown (seconds before regrading makes
# sense).
ENROLLMENT_TRACK_UPDATED = Signal()

# An active enrollment became inactive. Arguments: course_enrollment, skip_refund.
UNENROLL_DONE = Signal()

# An account is being removed: each app removes what it holds about the user, in the sender's transaction. Sent
# non-robustly. Arguments: user, original_username, retired_username.
USER_RETIRED = Signal()

# A file is to be applied row by row, and its job is committed. Sent robustly. Arguments: job_id.
BULK_JOB_STARTED = Signal()
