"""How the commands speak: one clear line for an error, a bar for long work."""

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from api.errors import LogBroken, LogNotContinued, PerisaiError, RecordsPutBack
from api.settings import Settings, SignerSettings, read_settings, read_signer_settings

T = TypeVar("T")

#: Where `perisai demo` keeps everything, below the folder it is started in.
DEMO_FOLDER = Path(".demo")

#: Exit status after Ctrl+C: 128 and the number of SIGINT.
INTERRUPTED = 130

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def settings_or_demo() -> Settings:
    """Read the settings that PERISAI_CONFIG names, or those of the demo in this folder."""
    demo = DEMO_FOLDER / "perisai.toml"
    if "PERISAI_CONFIG" not in os.environ and demo.is_file():
        return read_settings(demo)
    return read_settings()


def signer_settings_or_demo() -> SignerSettings:
    """Read what the log's signer needs, from where `settings_or_demo` reads."""
    demo = DEMO_FOLDER / "perisai.toml"
    if "PERISAI_CONFIG" not in os.environ and demo.is_file():
        return read_signer_settings(demo)
    return read_signer_settings()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run *work*; an error that we know ends the command with its one line."""
    with one_line():
        return asyncio.run(work)


@contextmanager
def one_line() -> Iterator[None]:
    """Turn a known error into one line on stderr and exit status 1, or 2: something is broken.

    A log that does not hold has a line for each kind of fault.
    """
    try:
        yield
    except LogBroken as error:
        for fault in (error, *error.also):
            # A place can be the name of a file, with brackets in it.
            err.print(f"[bold red]The log does not hold[/]: {escape(str(fault))}")
        raise typer.Exit(2) from None
    except LogNotContinued as error:
        err.print(f"[bold red]{error.code}[/]: {error}")
        raise typer.Exit(2) from None
    except RecordsPutBack as error:
        err.print(f"[bold red]The records are not as the log says[/]: {error}")
        raise typer.Exit(2) from None
    except PerisaiError as error:
        err.print(f"[bold red]{error.code}[/]: {error}")
        raise typer.Exit(1) from None
    except SQLAlchemyError as error:
        # Its text may hold what was to be written; its kind may not.
        err.print(
            f"[bold red]DATABASE[/]: the database refused ({type(error).__name__}). "
            "Check its address, its role and whether `perisai migrate` has run."
        )
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print("Stopped.")
        raise typer.Exit(INTERRUPTED) from None


class RateColumn(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> Text:
        """Show it as soon as it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


@contextmanager
def bar(text: str, total: int | None) -> Iterator[Progress]:
    """Show a progress bar with one task, on stderr, while the block runs."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=not sys.stderr.isatty(),
    ) as progress:
        progress.add_task(text, total=total)
        yield progress
