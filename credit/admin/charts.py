"""Bar charts as numbers for a template: where each bar stands, in the units of a small drawing."""

from collections.abc import Sequence

import attrs

WIDTH, HEIGHT = 240, 64
GAP = 4


@attrs.frozen
class Bar:
    """One bar; `css` tells whose it is."""

    x: int
    y: int
    width: int
    height: int
    css: str
    title: str


@attrs.frozen
class Chart:
    """A drawing with its numbers as rows: first the label of the column, then one number per series."""

    id: str
    title: str
    series: tuple[str, ...]
    bars: list[Bar]
    rows: list[tuple[str, ...]]
    totals: list[tuple[str, int]]
    highest: int
    width: int = WIDTH
    height: int = HEIGHT


def bar_chart(id: str, title: str, labels: Sequence[str], series: dict[str, Sequence[int]]) -> Chart:
    """Return a chart with one group of bars per label, one bar in it per series; all share one scale from zero."""
    highest = max((value for values in series.values() for value in values), default=0)
    slot = WIDTH // max(len(labels), 1)
    width = max((slot - GAP) // max(len(series), 1), 1)
    bars = [
        _bar(label, name, value, x=column * slot + number * width, width=width, css=f"credit-bar-{number}", top=highest)
        for number, (name, values) in enumerate(series.items())
        for column, (label, value) in enumerate(zip(labels, values, strict=True))
        if value
    ]
    rows = [
        (label, *(str(values[column]) for values in series.values()))
        for column, label in reversed(list(enumerate(labels)))
    ]
    totals = [(name, sum(values)) for name, values in series.items()]
    return Chart(id=id, title=title, series=tuple(series), bars=bars, rows=rows, totals=totals, highest=highest)


def _bar(label: str, name: str, value: int, *, x: int, width: int, css: str, top: int) -> Bar:
    height = max(round(HEIGHT * value / top), 2)
    return Bar(x=x, y=HEIGHT - height, width=width, height=height, css=css, title=f"{label}: {value} {name}")
