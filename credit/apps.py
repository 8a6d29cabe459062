"""The credit app."""

from django.apps import AppConfig, apps

from coursecredit import request_cache


class CreditAppConfig(AppConfig):
    """Eligibility for credit and requests to credit providers."""

    name = "credit"
    verbose_name = "Credit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from credit import checks, handlers, services  # noqa: F401  # models are not loaded before this moment

        if apps.is_installed("drf_spectacular"):
            from credit import openapi  # noqa: F401  # registers itself

        checks.register()
        services.register()
        request_cache.connect()
