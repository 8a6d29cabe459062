"""The site that runs the apps as a service, and under which their tests run. Nothing in the apps imports it."""

from settings.celery import app as celery_app

__all__ = ["celery_app"]
