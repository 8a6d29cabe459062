"""The program enrollments app."""

from django.apps import AppConfig, apps

from coursecredit import request_cache


class ProgramEnrollmentsConfig(AppConfig):
    """Learners in programs, before and after they have an account."""

    name = "program_enrollments"
    verbose_name = "Program enrollments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from program_enrollments import checks, handlers  # noqa: F401  # models are loaded only now

        if apps.is_installed("drf_spectacular"):
            from program_enrollments import openapi  # noqa: F401  # registers itself

        request_cache.connect()
        handlers.connect()
