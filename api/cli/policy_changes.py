"""Change the policy: two persons sign a bundle, and an operator adopts it."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.accesslog.note import VerifierKey
from api.accesslog.reader import reading
from api.app import utc_now
from api.casework import policy_adoption
from api.casework.policy_adoption import check_next, check_signed, event_of_adoption, next_after
from api.casework.policy_bundle import Bundle, Signers, approve, draft, signer_key
from api.casework.policy_change import Adopted, adopted
from api.casework.policy_in_force import Proven
from api.cli.operations import told_as
from api.cli.policy import TablesOption, bundle_at, held, tables_of
from api.cli.terminal import one_line, out, run, settings_or_demo
from api.crypto.signatures import SigningKey
from api.database import Records, engine_of
from api.errors import NoteInvalid, PolicyRefused, RefusesToStart
from api.policies.engine import Policy, hash_of, shipped_texts, texts_in
from api.policy_settings import policy_signers
from api.settings import Settings


class Part(StrEnum):
    """Whose signature it is."""

    AUTHOR = "author"
    APPROVER = "approver"


Name = Annotated[
    str, typer.Option(help="An office or a pseudonym, such as lpsk/author-1; never a name.")
]
KeyFile = Annotated[Path, typer.Option(help="The own key.")]


def create_key(
    key: Annotated[Path, typer.Argument(help="A new file, on the signer's own machine.")],
    name: Name,
) -> None:
    """Make a signer's key; its printed half goes into `policy_authors` or `policy_approvers`."""
    with one_line():
        made = SigningKey.generate()
        public = _named(name, made)
        try:
            made.save(key)
        except OSError:
            raise RefusesToStart(f"No key can be made at {key}.") from None
        out.print(str(public), markup=False)


def show() -> None:
    """Show which policy stands adopted, who signed it, and what the next one must say."""
    with one_line():
        settings = settings_or_demo()
        signers = policy_signers(settings)
    stands = run(_standing(settings, signers))
    standing = stands.standing
    if standing is None:
        out.print(f"The shipped policy is in force: {hash_of(shipped_texts())}.")
    else:
        out.print(f"Policy {standing.hash} is in force, number {standing.row.number}.")
        out.print(f"Its author is {_signer(standing.signed.statement.author)},", markup=False)
        out.print(f"its approver {_signer(standing.signed.approver)}.", markup=False)
    for fault in stands.faults:
        out.print(f"[red]{fault}[/]")
    number, replaces = next_after(standing)
    out.print(
        f"The next is signed with --installation {signers.installation} --number {number} "
        f"--replaces {replaces}"
    )


def sign(
    what: Annotated[
        Path, typer.Argument(help="The author: a folder of .polar files. The approver: a bundle.")
    ],
    part: Annotated[Part, typer.Option("--as", help="Whose signature it is.")],
    key: KeyFile,
    name: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="The new bundle.")],
    installation: Annotated[
        str | None,
        typer.Option(
            help="The author says for which, as `perisai policy show` has it; "
            "without it and the two below, settings and records are read."
        ),
    ] = None,
    number: Annotated[int | None, typer.Option(help="Its number; likewise.")] = None,
    replaces: Annotated[str | None, typer.Option(help="The present hash; likewise.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Sign a policy, after reading it, with nothing but the files and the own key at hand."""
    with one_line():
        mine = SigningKey.load(key)
        _named(name, mine)
        if part is Part.AUTHOR:
            installation, number, replaces = _next(installation, number, replaces)
            texts = texts_in(what)
            Policy.load(texts)
            try:
                bundle = draft(texts, installation, number, replaces, name, mine)
            except NoteInvalid:
                raise RefusesToStart(
                    "The installation, the number or the hash is none that can be signed."
                ) from None
        else:
            bundle = bundle_at(what)
            Policy.load(bundle.texts)
            try:
                bundle = approve(bundle, name, mine)
            except NoteInvalid:
                raise PolicyRefused(
                    f"{what} is approved already, or its author did not sign it, or is you."
                ) from None
        _tell(bundle)
        if not yes:
            typer.confirm("Do you sign that?", abort=True)
        try:
            with output.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(str(bundle))
        except OSError:
            raise RefusesToStart(f"{output} cannot be written, or is there already.") from None
    out.print("Signed. Hand it on.")


def adopt(
    path: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Signed by both.")],
    tables: TablesOption = None,
) -> None:
    """Put a policy in force that two persons signed, after checking all of it.

    The next request of every process is decided under it; nothing is restarted. What does
    not hold, or is not the next policy, is not adopted, and the old one stays.
    """
    with one_line():
        settings = settings_or_demo()
        signers = policy_signers(settings)
        bundle = bundle_at(path)
        signed = check_signed(bundle, signers)
        _tell(bundle)
        stands = asyncio.run(_standing(settings, signers))
        check_next(signed, stands.standing, stands.adopted)
        _, _, faults = held(bundle.texts, tables_of(None, tables))
        if faults:
            raise PolicyRefused("It is not adopted: see above.")
        event = event_of_adoption(signed, utc_now(), settings.owners)
        with told_as(settings, event):
            asyncio.run(_adopt(settings, signers, bundle, stands.adopted))
    out.print(f"Policy {signed.statement.policy} is in force.")


def _next(
    installation: str | None, number: int | None, replaces: str | None
) -> tuple[str, int, str]:
    """Give what an author says of the next policy; what is not given, settings and records say."""
    if installation is not None and number is not None and replaces is not None:
        return installation, number, replaces
    settings = settings_or_demo()
    signers = policy_signers(settings)
    next_number, present = next_after(asyncio.run(_standing(settings, signers)).standing)
    return installation or signers.installation, number or next_number, replaces or present


def _tell(bundle: Bundle) -> None:
    """Print what is signed, in words."""
    said = bundle.statement
    out.print(
        f"Policy {said.policy} replaces {said.replaces}, as number {said.number} of "
        f"{said.installation}. Its author is {_signer(said.author)}.",
        markup=False,
    )


def _signer(key: VerifierKey) -> str:
    return f"{key.name} ({key.key_id.hex()})"


def _named(name: str, key: SigningKey) -> VerifierKey:
    try:
        return signer_key(name, key)
    except NoteInvalid:
        raise RefusesToStart(
            "A signer is called by small letters, digits, and . / _ - between them."
        ) from None


@dataclass(frozen=True, slots=True)
class _Stands:
    """What the records hold, what is wrong there, and what the log says was adopted."""

    standing: Proven | None
    faults: list[str]
    adopted: Adopted | None


async def _standing(settings: Settings, signers: Signers) -> _Stands:
    records = Records(engine_of(settings.records_url.get_secret_value()))
    try:
        async with reading(settings.log_reader_url.get_secret_value()) as log:
            said = await adopted(log)
        standing, faults = await policy_adoption.standing(records, signers, said)
    finally:
        await records.close()
    number = 0 if standing is None else standing.row.number
    if said is not None and (
        said.number > number
        or (standing is not None and said.number == number and said.policy != standing.hash)
    ):
        faults.append(
            f"The access log says that policy {said.policy} was adopted as number "
            f"{said.number}: no process starts until its bundle is adopted again."
        )
    return _Stands(standing, faults, said)


async def _adopt(
    settings: Settings, signers: Signers, bundle: Bundle, said: Adopted | None
) -> None:
    records = Records(engine_of(settings.records_url.get_secret_value()))
    try:
        await policy_adoption.adopt(records, bundle, signers, said)
    finally:
        await records.close()
