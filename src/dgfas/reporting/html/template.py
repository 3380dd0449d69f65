"""Pages of one HTML file: the templates of this folder around the values of a page."""

from importlib import resources
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """Return the page of a template; every value is escaped."""
    environment = Environment(
        loader=PackageLoader("dgfas.reporting.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(style=style, version=version("dgfas"), **values)
