"""System checks of the events app."""

import sys
from typing import Any

from django.core import checks

from events.conf import DISTRIBUTION


def register() -> None:
    """Have Django run the checks of this module."""
    checks.register(check_package)


def check_package(**kwargs: Any) -> list[checks.CheckMessage]:
    """Fail if `import events` finds somebody else's package, such as one installed over ours."""
    package = sys.modules[__package__]
    if getattr(package, "DISTRIBUTION", None) == DISTRIBUTION:
        return []
    return [
        checks.Error(
            f"`import events` finds somebody else's package: {package.__file__}.",
            hint="Remove the other package from the environment, then reinstall course-credit.",
            id="events.E001",
        )
    ]
