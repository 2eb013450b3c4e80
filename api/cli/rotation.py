"""Rotate and retire keys while the service runs. Each can be run again after it was cut off."""

from datetime import timedelta
from typing import Annotated

import typer

from api.app import open_house, telling_key_use
from api.casework.data_rotation import rotate_data
from api.casework.house import House
from api.casework.index_rotation import rotate_index
from api.casework.kek_rotation import rotate_kek
from api.casework.retirement import NothingToRetire, Retired, StillUsed, retire
from api.casework.rotating import Pace, Rotated
from api.cli.terminal import bar, err, out, run, settings_or_demo
from api.crypto.key_service import KeyKind
from api.errors import RefusesToStart
from api.settings import Settings

#: Exit status where something was left: the command says what.
LEFT = 3

_RUNS = {"kek": rotate_kek, "data": rotate_data, "index": rotate_index}

Agency = Annotated[
    str | None, typer.Option(help="Slug of one organisation; without it, all that are served.")
]


def rotate_keys(
    kek: Annotated[bool, typer.Option("--kek", help="The key that wraps all others.")] = False,
    data: Annotated[
        bool, typer.Option("--data", help="The data keys: every record is sealed anew.")
    ] = False,
    index: Annotated[
        bool, typer.Option("--index", help="The key of the exact search: tags are made anew.")
    ] = False,
    agency: Agency = None,
) -> None:
    """Rotate keys of one kind; cut off, run it again and it goes on."""
    chosen = [name for name, given in (("kek", kek), ("data", data), ("index", index)) if given]
    if len(chosen) != 1:
        err.print("Say which keys: one of --kek, --data, --index.")
        raise typer.Exit(2)
    if not run(_rotate(chosen[0], agency)):
        raise typer.Exit(LEFT)


async def _rotate(kind: str, agency: str | None) -> bool:
    settings = settings_or_demo()
    whole = True
    # It wraps like a service, but nobody searches here: a rotation of the index key that
    # follows on one that was killed need not wait for it.
    async with open_house(settings) as house, telling_key_use(house, [KeyKind.KEK]):
        for owner in _owners(settings, agency):
            rotated = await _with_bar(kind, house, owner)
            out.print(f"{owner}: {rotated.done} done.")
            whole &= _left(owner, rotated)
    return whole


async def _with_bar(kind: str, house: House, owner: str) -> Rotated:
    with bar(f"{kind} of {owner}", None) as shown:
        task = shown.task_ids[0]
        return await _RUNS[kind](
            house,
            owner,
            Pace(),
            lambda done, total: shown.update(task, completed=done, total=total),
        )


def _left(owner: str, rotated: Rotated) -> bool:
    """Say what was left; tell whether nothing was."""
    for table, rows in rotated.rows_left.items():
        err.print(f"[bold red]{owner}[/]: {rows} rows of {table} do not hold and were left.")
    if rotated.broken:
        err.print(
            f"[bold red]{owner}[/]: {len(rotated.broken)} records do not hold and were left as "
            "they are; the log names them."
        )
    if rotated.given_again:
        out.print(
            f"{owner}: {len(rotated.given_again)} records are shared with others, who take the "
            "new keys when their service looks next."
        )
    if rotated.behind:
        err.print(
            f"[bold red]{owner}[/]: {rotated.behind} running processes do not take over the new "
            "version, so no tag was replaced. Look at their log, and run this again."
        )
    return rotated.whole


def retire_keys(
    agency: Agency = None,
    all_unused: Annotated[
        bool, typer.Option("--all-unused", help="All but the newest, whatever their age.")
    ] = False,
) -> None:
    """Destroy old versions that nothing stands under: older backups open no more.

    Takes the versions that are older than the setting `key_retirement_days`.
    """
    if not run(_retire(agency, all_unused)):
        raise typer.Exit(LEFT)


async def _retire(agency: str | None, all_unused: bool) -> bool:
    settings = settings_or_demo()
    limit = timedelta(days=settings.key_retirement_days)
    done = True
    async with open_house(settings) as house:
        for owner in _owners(settings, agency):
            for kind in KeyKind:
                match await retire(house, owner, kind, None if all_unused else limit):
                    case Retired(floor):
                        out.print(f"{owner}: {kind.value} below version {floor} is destroyed.")
                    case NothingToRetire(newest_age):
                        out.print(f"{owner}: no {kind.value} to retire.")
                        if newest_age > limit:
                            err.print(
                                f"[bold yellow]{owner}[/]: the newest {kind.value} is "
                                f"{newest_age.days} days old. Rotate it first."
                            )
                    case StillUsed() as used:
                        done = False
                        err.print(_used(owner, kind, used))
    return done


def _used(owner: str, kind: KeyKind, used: StillUsed) -> str:
    reasons = [f"{rows} rows of {table}" for table, rows in used.rows.items()]
    if used.processes:
        reasons.append(f"{used.processes} running processes")
    said = f"[bold red]{owner}[/]: {kind.value} below version {used.floor} stays"
    if reasons:
        said += f": it is used by {', '.join(reasons)}"
    if used.settling:
        said += (
            f"; {used.settling} running processes took a newer version over a moment ago, "
            "try again in a minute"
        )
    return f"{said}."


def _owners(settings: Settings, agency: str | None) -> list[str]:
    if agency is None:
        return list(settings.owners)
    if agency not in settings.owners:
        raise RefusesToStart(f"{agency} is not among the `owners` of the settings.")
    return [agency]
