"""What the operator's commands leave in the log: before they do it, and how it ended."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from api.accesslog.event import Event
from api.accesslog.ledger import Ledger
from api.app import utc_now
from api.casework import operations
from api.casework.operations import Operation
from api.cli.terminal import err
from api.errors import LogUnavailable, PerisaiError, RefusesToStart, StoreUnavailable
from api.log_settings import log_writer
from api.settings import Settings, SignerSettings
from api.vocabulary import Action, Outcome, Phase


@contextmanager
def told(
    settings: Settings | SignerSettings,
    action: Action,
    agencies: tuple[str, ...] | None = None,
    beside: Path | None = None,
) -> Iterator[None]:
    """Do the block as an operation that is in the log: an intent before, an outcome after.

    Args:
        agencies: whose keys or events it is about; None: the settings' owners.
        beside: the file beside which it is noted where there is no log yet, for the next
            start; None: then it is not done.

    Raises:
        RefusesToStart, LogUnavailable: it cannot be told, so it was not done.
    """
    if agencies is None:
        # A signer's settings name no agency: nobody's records are there.
        agencies = settings.owners if isinstance(settings, Settings) else ()
    operation = Operation(action, utc_now(), agencies)
    intent: int | None = None
    begins = 0
    try:
        intent = append(settings, replace(operation.event, phase=Phase.INTENT))
    except (LogUnavailable, RefusesToStart):
        if beside is None:
            raise
        begins = operations.note(beside, operation)
    try:
        yield
    except Exception as error:
        if intent is None and beside is not None:
            operations.take_back(beside, begins)
        elif intent is not None:
            nothing = isinstance(error, PerisaiError)
            ended(settings, operation.event, intent, Outcome.NOTHING if nothing else Outcome.FAILED)
        raise
    if intent is not None:
        ended(settings, operation.event, intent, Outcome.DONE)


@contextmanager
def told_as(settings: Settings, event: Event) -> Iterator[None]:
    """Do the block as *event* tells, as `told` does where there is a log.

    Raises:
        RefusesToStart, LogUnavailable: it cannot be told, so it was not done.
    """
    intent = append(settings, replace(event, phase=Phase.INTENT))
    try:
        yield
    except Exception as error:
        # The answer to a commit may be what was lost.
        unknown = isinstance(error, StoreUnavailable)
        nothing = isinstance(error, PerisaiError) and not unknown
        ended(
            settings,
            event,
            intent,
            Outcome.UNKNOWN if unknown else Outcome.NOTHING if nothing else Outcome.FAILED,
        )
        raise
    ended(settings, event, intent, Outcome.DONE)


def ended(settings: Settings | SignerSettings, event: Event, intent: int, outcome: Outcome) -> None:
    """Append how it ended; a log that takes no event any more leaves an open intent."""
    event = replace(event, at=utc_now(), phase=Phase.OUTCOME, intent=intent, outcome=outcome)
    try:
        append(settings, event)
    except LogUnavailable:
        err.print("[yellow]How it ended could not be written to the access log.[/]")


def verified(settings: Settings, size: int, now: datetime) -> None:
    """Append that the log was verified up to *size*; who may not append is told so."""
    event = replace(Operation(Action.VERIFY_LOG, now, settings.owners).event, count=size)
    try:
        append(settings, event)
    except (LogUnavailable, RefusesToStart):
        err.print(
            "[yellow]That it was verified is not in the log: `log_url` cannot append here.[/]"
        )


def append(settings: Settings | SignerSettings, event: Event) -> int:
    """Append one event with the log's writer of the settings; give its index.

    Raises:
        RefusesToStart, LogUnavailable: there is no log, or it takes no event.
    """
    if settings.log_url is None:
        raise RefusesToStart("This adds an event to the log: set `log_url` for it.")
    return asyncio.run(_append(settings.log_url.get_secret_value(), event))


async def _append(url: str, event: Event) -> int:
    writer = log_writer(url)
    ledger = Ledger(writer)
    try:
        await ledger.start()
        if (await writer.state()).size == 0:
            # A signer begins with an empty log, so the first event is that of a start.
            raise RefusesToStart("The access log is empty: start the service once.")
        return await ledger.append(event)
    finally:
        await ledger.close()
