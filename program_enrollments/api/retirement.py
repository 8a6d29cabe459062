"""What this app forgets of a person whose account is removed (program enrollments contract 10)."""

from coursecredit.transactions import retried_atomic
from program_enrollments.models import ExternalIdentity, ProgramEnrollment


@retried_atomic
def retire_student(user_id: int) -> bool:
    """Replace the student keys of an account, in rows and history, and delete its identities; all or nothing.

    The enrollments stay, under a word that tells nothing: registrars refuse a student without key.

    Args:
        user_id: the primary key of the account.

    Returns:
        Whether there was anything to forget; not the second time.
    """
    identities, _ = ExternalIdentity.objects.filter(user=user_id).delete()
    return ProgramEnrollment.retire_user(user_id) or bool(identities)
