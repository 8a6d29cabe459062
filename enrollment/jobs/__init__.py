"""Large files: each row is applied exactly once, whoever is killed meanwhile (docs/jobs.md).

An app that wants its rows applied from files registers a processor for a kind of job, in its `ready()`:

    from enrollment import jobs

    jobs.register("enrollments", EnrollmentRows())
"""

from enrollment.jobs.processors import Row, RowProcessor, RowResult, kinds, processor_of, register

__all__ = ["Row", "RowProcessor", "RowResult", "kinds", "processor_of", "register"]
