"""The site as a Django app: it has templates, style sheets and checks, and no tables."""

from django.apps import AppConfig
from django.contrib import admin


class SiteConfig(AppConfig):
    name = "settings"
    verbose_name = "Course credit"

    def ready(self) -> None:
        from settings import checks, openapi  # noqa: F401  # both register themselves with loaded apps

        admin.site.site_header = "Course credit"
        admin.site.site_title = "Course credit"
        admin.site.index_title = "What staff look after"
