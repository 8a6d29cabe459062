"""Figures for an admin index page of one's own.

```
{% load credit_staff %}
{% credit_figures as panel %}
{% include "admin/credit/figures_panel.html" %}
```
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django import template

if TYPE_CHECKING:
    from credit.admin.figures import Panel

register = template.Library()


@register.simple_tag(takes_context=True)
def credit_figures(context: dict[str, Any]) -> "Panel | None":
    """Return the figures whose rows the request's user may look at, or None if there are none."""
    # Only now: every site imports its apps' tags, also one without Django's admin.
    panel: Panel | None = import_module("credit.admin.figures").panel_for(context["request"])
    return panel
