"""The command line: thin verbs over the rooms."""

import sys

import typer

from dgfas.cli import data, runs
from dgfas.cli.shared import EXIT_USER_ERROR
from dgfas.core.errors import UserError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Domain-generalised face anti-spoofing: train on several sources, measure on a domain never seen.",
)
app.add_typer(data.prepare_app, name="prepare")
for verb in (data.simulate, data.doctor, runs.train, runs.score, runs.evaluate, runs.demo):
    app.command()(verb)


def main() -> None:
    """Run the command line; a user's mistake becomes one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"dgfas: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except KeyboardInterrupt:
        print("dgfas: stopped; work up to the last checkpoint is kept", file=sys.stderr)
        sys.exit(130)
