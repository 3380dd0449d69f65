"""One HTML file for a benchmark, for runs, or for the scores of any system."""

from dgfas.reporting.html.page import write_report

__all__ = ["write_report"]
