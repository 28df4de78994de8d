"""From sections to one HTML file that needs nothing outside itself."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mammography.reports.blocks import Section


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("mammography.reports"),
        autoescape=True,  # names of tasks, classes and files come from outside
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(
    title: str,
    subtitle: str,
    sections: Sequence[Section],
    template: str = "page.html.jinja",
    **context: Any,
) -> str:
    """Return the page; the same input gives the same text.

    Args:
        title: What kind of page it is.
        subtitle: What it is about.
        sections: Its chapters, in order.
        template: A template that extends the page.
        context: What that template needs.
    """
    found = _environment().get_template(template)
    return found.render(title=title, subtitle=subtitle, sections=sections, **context)


def write_page(path: Path, page: str) -> None:
    """Write a page, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)
