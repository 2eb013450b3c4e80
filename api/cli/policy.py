"""Check a policy and compare two, before one is put in force.

Needs no settings and no keys, but to ask again what the log recorded.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from api.app import open_house
from api.casework.policy_bundle import Bundle
from api.casework.policy_recorded import Recorded, compare_recorded
from api.cli.terminal import bar, err, one_line, out, run, settings_or_demo
from api.errors import NoteInvalid, PolicyRefused
from api.policies.checking import Tables, check_everywhere
from api.policies.comparing import Changed, compare
from api.policies.editing import Rules, rules_of
from api.policies.engine import Policy, shipped_texts, texts_in
from api.policies.invariants import INVARIANTS, sentence
from api.policies.mutation import score
from api.policies.tables import Case, read_tables

app = typer.Typer(help="Policies: check one, compare two.", no_args_is_help=True)

#: Where the tables of the shipped policy are: beside its tests, in a clone.
TABLES = Path(__file__).parents[2] / "tests" / "policies"

FolderArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A folder of .polar files, or a bundle; without it, the policy that is shipped."
    ),
]
TablesOption = Annotated[
    Path | None,
    typer.Option(
        help="A folder of tables (*.csv); else those in FOLDER, else the shipped policy's."
    ),
]


@app.command()
def check(
    folder: FolderArgument = None,
    tables: TablesOption = None,
    mutants: Annotated[
        bool,
        typer.Option("--mutants", help="Also take out each rule and condition: who notices?"),
    ] = False,
) -> None:
    """Lint and load a policy, hold it to its tables and, everywhere, to what must always hold.

    Exit status 1, with each place, if anything is not as it should be.
    """
    with one_line():
        texts = shipped_texts() if folder is None else texts_at(folder)
        rules, cases, faults = held(texts, tables_of(folder, tables))
        if mutants and not faults:
            with bar("mutants", None) as progress:
                found = score(rules, cases, lambda done, total: _advance(progress, done, total))
            out.print(f"{found}.", markup=False)
            survivors = [f"{mutant}: nobody notices" for mutant in found.survivors]
            _told(survivors, "Every rule and every condition is needed.")
            faults += survivors
        if faults:
            raise typer.Exit(1)


def texts_at(path: Path) -> Mapping[str, str]:
    """Read the texts in a folder, or in a bundle, signed or not.

    Raises:
        PolicyRefused: there are none.
    """
    return bundle_at(path).texts if path.is_file() else texts_in(path)


def bundle_at(path: Path) -> Bundle:
    """Read a bundle; nothing is proven by it.

    Raises:
        PolicyRefused: it is none, or cannot be read.
    """
    try:
        return Bundle.parse(path.read_bytes())
    except (NoteInvalid, OSError):
        raise PolicyRefused(f"{path} is no bundle of a policy, or was changed.") from None


def held(texts: Mapping[str, str], tables: Path) -> tuple[Rules, list[Case], list[str]]:
    """Load a policy, and hold it to *tables* and to what must always hold.

    Gives its rules, the rows of the tables, and its faults, which are printed too.

    Raises:
        PolicyRefused: it does not load, or there is no table.
    """
    policy = Policy.load(texts)
    rules = rules_of(texts)
    out.print(
        f"Loads, with all of its inline tests: {len(texts)} files, "
        f"{sum(map(len, rules.values()))} rules. Hash {policy.hash}."
    )
    cases = read_tables(tables)
    faults = list(Tables(rules).faults(cases))
    _told(faults, f"Agrees with its tables: {len(cases)} rows.")
    faults += _everywhere(rules)
    return rules, cases, faults


def tables_of(folder: Path | None, tables: Path | None) -> Path:
    """Give the folder of the tables to which a policy is held."""
    if tables is not None:
        return tables
    return folder if folder is not None and any(folder.glob("*.csv")) else TABLES


def _everywhere(rules: Rules) -> list[str]:
    with bar("all decisions", None) as progress:
        found = check_everywhere(rules, lambda done, total: _advance(progress, done, total))
    left_out = f", 1 in {found.step} of all" if found.step > 1 else ""
    out.print(
        f"Checked {found.decisions:,} decisions{left_out} "
        f"({found.put:,} questions to the engine) for:"
    )
    for invariant in INVARIANTS:
        out.print(f"  {sentence(invariant)}.")
    _told(found.faults, "All of it holds.")
    if found.broken > len(found.faults):
        err.print(f"In all {found.broken:,} situations are not as they must be.")
    return found.faults


def _told(faults: list[str], well: str) -> None:
    """Print *faults*, one a line, or that all is *well*."""
    for fault in faults:
        err.print(fault, style="red", markup=False)
    if not faults:
        out.print(well)


@app.command()
def diff(
    new: Annotated[Path, typer.Argument(help="A folder of .polar files, or a bundle.")],
    old: Annotated[
        Path | None,
        typer.Option(help="The policy to compare with; without it, the one that is shipped."),
    ] = None,
    recorded: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            min=1,
            help="Also ask again what was decided in so many days, such as 30; needs the "
            "settings. Without --old, the policy in force is asked.",
        ),
    ] = None,
) -> None:
    """Say what would change, over all meaningful facts, if the policy in NEW were in force."""
    with one_line():
        before = shipped_texts() if old is None else texts_at(old)
        after = texts_at(new)
        # With the inline tests: what does not load is compared with nothing.
        older, newer = Policy.load(before), Policy.load(after)
        with bar("all decisions", None) as progress:
            found = compare(
                rules_of(before),
                rules_of(after),
                lambda done, total: _advance(progress, done, total),
            )
        left_out = f", 1 in {found.step} of all" if found.step > 1 else ""
        out.print(f"Compared {found.decisions:,} decisions{left_out}.")
        _tell_changes(found.changes)
    if recorded is not None:
        _tell_recorded(run(_recorded(None if old is None else older, newer, recorded)), recorded)


async def _recorded(old: Policy | None, new: Policy, days: int) -> Recorded:
    with bar("recorded decisions", None) as progress:
        async with open_house(settings_or_demo()) as house:
            return await compare_recorded(
                house,
                old,
                new,
                house.now() - timedelta(days=days),
                lambda done, total: _advance(progress, done, total),
            )


def _tell_recorded(found: Recorded, days: int) -> None:
    out.print(
        f"Of the last {days} days, with the facts of today: asked again {found.decisions:,} "
        f"decisions in {found.events:,} events."
    )
    if found.otherwise:
        out.print(
            f"By the facts of today {found.otherwise:,} of them are decided otherwise than they "
            "were then, whatever the policy."
        )
    for why, count in sorted(found.lost.items()):
        out.print(f"Not asked again, {why.value}: {count:,}.")
    _tell_changes(found.changes)


def _tell_changes(changes: Sequence[Changed]) -> None:
    if not changes:
        out.print("Nothing changes.")
    heading = None
    for changed in changes:
        if (this := _heading(changed)) != heading:
            out.print(heading := this)
        out.print(f"  {_line(changed)}", markup=False)


def _heading(changed: Changed) -> str:
    if changed.kind.before == "refused":
        return "Refused now, allowed then:"
    return "Allowed now, refused then:" if changed.kind.after == "refused" else "On other grounds:"


def _line(changed: Changed) -> str:
    kind = changed.kind
    grounds = " -> ".join(
        answer.removeprefix("allowed: ")
        for answer in (kind.before, kind.after)
        if answer != "refused"
    )
    agencies = f" of {', '.join(changed.agencies)}" if changed.agencies else ""
    purposes = f", for {', '.join(changed.purposes)}" if changed.purposes else ""
    return (
        f"{kind.role}{agencies}: {kind.what}, {kind.record}, as {grounds}{purposes} "
        f"({changed.decisions:,} decisions)"
    )


def _advance(progress: Progress, done: int, total: int) -> None:
    progress.update(progress.task_ids[0], completed=done, total=total)
