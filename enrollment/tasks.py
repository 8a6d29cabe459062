"""Celery's entry points: one call each."""

from celery import shared_task

from coursecredit import broker
from enrollment import api
from enrollment.conf import conf
from enrollment.jobs import runner


@shared_task(ignore_result=True)
def run_bulk_jobs() -> None:
    """Work on jobs for no longer than a lease, then let others have the worker and ask for another turn.

    Both what a new job asks for and the sweep that finds jobs whose worker, or request for one, was lost.
    """
    if runner.run_due(limit=conf.JOB_LEASE):
        broker.enqueue(run_bulk_jobs)


@shared_task(ignore_result=True)
def purge_bulk_jobs() -> None:
    """Delete the files of jobs that are too old."""
    api.purge_jobs()
