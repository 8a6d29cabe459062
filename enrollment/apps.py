"""The enrollment app."""

from django.apps import AppConfig, apps

from coursecredit import request_cache


class EnrollmentConfig(AppConfig):
    """Who is enrolled in which course run, in which mode."""

    name = "enrollment"
    verbose_name = "Enrollment"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from enrollment import checks, handlers, job_kinds  # noqa: F401  # models are loaded only now

        if apps.is_installed("drf_spectacular"):
            from enrollment import openapi  # noqa: F401  # registers itself

        request_cache.connect()
        handlers.connect()
        job_kinds.register_kinds()
