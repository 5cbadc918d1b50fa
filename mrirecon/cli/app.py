"""Assemble the sub-commands and turn errors into one line."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from mrirecon import native
from mrirecon.cli.bench import bench, bench_compare
from mrirecon.cli.compare import compare
from mrirecon.cli.demo import demo
from mrirecon.cli.evaluate import evaluate
from mrirecon.cli.export import export
from mrirecon.cli.find_rate import find_rate
from mrirecon.cli.info import info
from mrirecon.cli.inspect import inspect
from mrirecon.cli.prepare import prepare
from mrirecon.cli.reconstruct import reconstruct
from mrirecon.cli.regularisation import tune_regularisation
from mrirecon.cli.sampling import sampling
from mrirecon.cli.terminal import say
from mrirecon.cli.train import train
from mrirecon.cli.tune import tune
from mrirecon.training import TrainingStopped

app = typer.Typer(
    name="mrirecon",
    help="From MR images to a trained, scored reconstruction of undersampled k-space.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.callback()
def _options(
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error arose, for bug reports.")
    ] = False,
) -> None:
    del traceback  # main looks for it, since a callback cannot hand a value to its caller


COMMANDS = (
    demo,
    info,
    inspect,
    prepare,
    sampling,
    train,
    find_rate,
    tune,
    tune_regularisation,
    evaluate,
    compare,
    reconstruct,
    export,
    bench,
    bench_compare,
)

for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line; an expected error becomes one line on stderr and exit status 1."""
    native.keep_freed_memory()
    try:
        app()
    except TrainingStopped as stopped:
        say(str(stopped))
        sys.exit(128 + stopped.signal_number)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted")
        sys.exit(130)
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        if "--traceback" in sys.argv:
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        Console(stderr=True, soft_wrap=True).print(f"error: {text}", markup=False, highlight=False)
        sys.exit(1)
