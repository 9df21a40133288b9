"""The command line: `python -m bench run | plan | status | merge | clean | list | new | report | site | compare | ...`.

Nothing heavy is imported before a command needs it, so that help, lists and mistakes are told at once.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer

from bench.commands.baseline import baseline
from bench.commands.calibrate import calibrate
from bench.commands.check import check
from bench.commands.clean import clean
from bench.commands.compare import compare
from bench.commands.doctor import doctor
from bench.commands.forecast import forecast
from bench.commands.list import list_
from bench.commands.merge import merge
from bench.commands.new import new
from bench.commands.plan import plan
from bench.commands.published import published
from bench.commands.report import report
from bench.commands.run import run
from bench.commands.simulate import simulate
from bench.commands.site import site
from bench.commands.status import status
from bench.commands.time import time
from bench.commands.try_data import try_data
from bench.commands.tune import tune
from bench.display.welcome import welcome
from bench.errors import INTERRUPTED, MISTAKEN, UNREAD, UserError, nearest, one_line, print_to_stderr
from bench.explained import page_about
from results import UnreadableError

UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # click's, which newer versions of typer carry inside

EXAMPLES = """[bold]Examples[/]
  python -m bench run --suite chaos
  python -m bench run --suite chaos -s Lorenz -l "NeuralODE\\[lookahead=5]"
  python -m bench try my.csv
  python -m bench forecast runs/chaos -s Lorenz -l NeuralODE my.csv
  python -m bench run --suite my_suite.py --seeds 5 --budget quick
  python -m bench list learners NeuralODE
  python -m bench compare runs/chaos other/chaos
  python -m bench check smoke

[bold]Exit codes[/]
    0 all well
    1 a regression, or a check that failed
    2 a mistake in the command or suite
    3 cells crashed, timed out or lacked memory (to diverge is a result)
    4 nothing measured, or nothing to compare
  130 interrupted"""

app = typer.Typer(
    help="Compare learners of dynamical systems: recurrent networks, neural ODEs, residual networks and their like.",
    epilog=EXAMPLES,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=EXAMPLES)(run)
app.command("try")(try_data)
for command in (plan, status, merge, clean):
    app.command()(command)
app.command("list")(list_)
for command in (new, tune, report, site, compare):
    app.command()(command)
app.add_typer(baseline, name="baseline")
for command in (forecast, check, doctor, published, simulate, time, calibrate):
    app.command()(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: what the user did wrong is told in one line, on the error stream.

    A program or notebook may call it with arguments, and goes on where all is well. Raises SystemExit with an exit code
    other than 0.
    """
    called_by = sys.argv
    if arguments is not None:  # what is kept of the command, or tells how to resume, is not that of the program
        sys.argv = [str(Path(__file__).with_name("__main__.py")), *arguments]
    try:
        code = _run_command(sys.argv)
    finally:
        sys.argv = called_by
    if code:
        sys.exit(code)


@contextmanager
def _notes() -> Iterator[None]:
    """Tell what is noted of a user's recordings on one line each, and once."""
    told: set[str] = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def note(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if category.__name__ != "RecordingNote":  # whose module imports torch
                show(message, category, *where, **more)
            elif str(message) not in told:
                told.add(str(message))
                print_to_stderr(f"note: {one_line(str(message))}")

        warnings.showwarning = note
        yield


@_notes()
def _run_command(words: Sequence[str]) -> int:
    """Run the command of a program and its arguments, and return the exit code."""
    entry = Path(words[0]).name
    given = list(words[1:])
    program = "python -m bench" if entry == "__main__.py" else entry
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # of characters that its encoding lacks
    try:
        code = app(given or ["--help"], prog_name=program, standalone_mode=False)
        sys.stdout.write("" if given else f"{welcome()}\n")
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as error:  # typer and rich make SystemExit of the former
        if not isinstance(error, BrokenPipeError) and not isinstance(error.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads on, as in `list | head`: the rest is left unsaid
        code = UNREAD
    except (UserError, UnreadableError) as error:
        page = page_about(error)
        print_to_stderr(f"error: {one_line(str(error))}" + (f" (see {page})" if page else ""))
        code = MISTAKEN
    except OSError as error:  # a full disk, or what must not be read or written
        where = f": {error.filename}" if error.filename else ""
        print_to_stderr(f"error: {one_line(str(error.strerror or error))}{where}")
        code = MISTAKEN
    except UsageError as error:
        print_to_stderr(f"error: {_usage(error, given)}")
        code = MISTAKEN
    except (KeyboardInterrupt, typer.Abort) as error:
        if isinstance(error.__cause__, EOFError):  # typer takes it for a user who has nothing more to say
            raise error.__cause__ from None
        print_to_stderr("interrupted")
        code = INTERRUPTED
    return code or 0


def _usage(error: Any, given: Sequence[str]) -> str:
    """What typer says of a wrong command, on one line, with the value, the nearest option and where help is found."""
    message = one_line(error.format_message()).rstrip(".")
    if error.ctx is None:
        return message
    names = [name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts]
    if message.startswith("No such option"):
        close = nearest(error.option_name, names)
        message = f"no such option {error.option_name}" + (f": did you mean {close}?" if close else "")
    elif parameter := getattr(error, "param", None):
        pairs = [*pairwise(given), *(text.split("=", 1) for text in given if "=" in text)]
        values = [value for name, value in pairs if value and name in parameter.opts]
        received = f", but got {values[-1]!r}" if values else ""
        message = f"{parameter.opts[0]}: {error.message.rstrip('.')}{received}"
    return f"{message[:1].lower()}{message[1:]} (see {error.ctx.command_path} --help)"
