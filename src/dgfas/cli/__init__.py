"""The command line: thin verbs over the rooms."""

import typer

from dgfas.cli import benchmark, data, report, runs, service
from dgfas.cli.data_sets import add_data_sets
from dgfas.cli.doctor import doctor
from dgfas.cli.export import export
from dgfas.cli.shared import Verbs

app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Domain-generalised face anti-spoofing: train on several sources, measure on a domain never seen.

    Example: dgfas demo demo
    """,
    epilog="`dgfas VERB --help` explains a verb. "
    "Exit codes: 0 done, 1 a training of several failed, 2 a mistake to mend, 3 too many files rejected or missing, "
    "130 interrupted.",
)
add_data_sets(data.prepare_app)
app.add_typer(data.prepare_app, name="prepare")
for verb in (
    data.simulate,
    doctor,
    runs.train,
    runs.score,
    runs.evaluate,
    export,
    runs.demo,
    benchmark.benchmark,
    report.report,
    service.serve,
):
    app.command()(verb)


def main() -> None:
    """Run the command line; a user's mistake becomes one line and exit code 2."""
    app()
