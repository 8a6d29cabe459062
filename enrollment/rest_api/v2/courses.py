"""What enrolling in a course means, for everybody."""

from collections.abc import Mapping
from typing import ClassVar

from coursecredit.errors import DomainError, NotFound
from enrollment.errors import CourseNotFoundError
from enrollment.rest_api.v1 import courses as v1
from enrollment.rest_api.v2.base import Version2


class CourseDetailsView(Version2, v1.CourseDetailsView):
    """Dates and modes of a course."""

    kinds: ClassVar[Mapping[type[DomainError], type[DomainError]]] = {CourseNotFoundError: NotFound}
