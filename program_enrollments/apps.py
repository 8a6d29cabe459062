"""The program enrollments app."""

from django.apps import AppConfig

from coursecredit import request_cache


class ProgramEnrollmentsConfig(AppConfig):
    """Learners in programs, before and after they have an account."""

    name = "program_enrollments"
    verbose_name = "Program enrollments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from program_enrollments import checks, handlers  # noqa: F401  # models are loaded only now

        request_cache.connect()
        handlers.connect()
