"""Back the key file up for a quorum of custodians, and restore it with them."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.app import utc_now
from api.casework import operations
from api.casework.operations import Operation
from api.cli import share_sheet
from api.cli.operations import told
from api.cli.terminal import err, one_line, out, settings_or_demo
from api.crypto import key_backup, key_file, key_payload
from api.crypto.key_backup import Backup, Notice
from api.crypto.key_file import Cost
from api.crypto.key_shares import Share, share_of
from api.errors import RefusesToStart
from api.key_settings import key_file_path, passphrase, passphrase_in
from api.vocabulary import Action


def backup(
    to: Annotated[Path, typer.Option(help="The backup; it must not be there yet.")],
    custodian: Annotated[list[str], typer.Option(help="Who gets a share; one for each share.")],
    shares: Annotated[int, typer.Option(help="How many shares, 2 to 16.")] = 5,
    threshold: Annotated[int, typer.Option(help="How many of them open the backup.")] = 3,
    shares_in: Annotated[
        Path | None, typer.Option(help="New folder for the shares; else <backup>.shares.")
    ] = None,
) -> None:
    """Back up all keys of the key file, so that some custodians together can restore them.

    Hand each share to its custodian, then remove the folder: who has enough shares and
    the backup has the keys. The expiry is kept by this software; it stops nobody who
    keeps an old backup, enough old shares and another program. So let the custodians
    destroy their shares each time keys are retired.
    """
    with one_line():
        settings = settings_or_demo()
        folder = shares_in or to.with_name(f"{to.name}.shares")
        names = _file_names(custodian, shares)
        _not_there(to)
        _not_there(folder)
        payload = key_file.read(key_file_path(settings), passphrase(settings)).payload
        made = key_backup.make(
            payload,
            sorted(key_payload.parsed(payload)["owners"]),
            made=utc_now(),
            lifetime=timedelta(days=settings.key_retirement_days),
            shares=shares,
            threshold=threshold,
            randomness=os.urandom,
        )
        _prove(made, payload)
        # The backup comes last: where there is one, all its shares were written.
        owners = tuple(made.notice.owners)
        with told(settings, Action.BACK_UP_KEYS, owners, beside=key_file_path(settings)):
            _make_folder(folder)
            for number, (who, words) in enumerate(zip(custodian, made.shares, strict=True), 1):
                sheet = share_sheet.printed(made.notice, number, who, words)
                _write_new(folder / names[number - 1], sheet.encode())
            _write_new(to, made.data)
    out.print(
        f"Backup {made.notice.identifier} is in {to}, its shares are in {folder}.\n"
        f"{_good_for(made.notice)}\n"
        "Hand each share to its custodian, remove the folder, and destroy older backups "
        "and their shares once their keys are retired."
    )


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    new_key_file: Annotated[Path, typer.Option("--key-file", help="Where to; not there yet.")],
    share: Annotated[
        list[Path] | None, typer.Option(help="A file with a share; asked for where too few.")
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="Holds the NEW passphrase; else it is asked for.")
    ] = None,
) -> None:
    """Make a key file from a backup and enough shares, under a new passphrase."""
    with one_line():
        _not_there(new_key_file)
        data = _read(file, key_backup.LONGEST)
        notice = key_backup.notice_of(data, utc_now())
        err.print(f"Backup {notice.identifier}. {_good_for(notice)}")
        given = [_share_in(path) for path in share or []]
        for each in given:
            key_backup.check_share(notice, each)
        given += _typed(notice, given)
        payload = key_backup.opened(data, given, utc_now())
        secret = _new_passphrase(passphrase_file)
        # Nobody's settings are read here, and there may be no log yet: the next start
        # with this key file tells it.
        restored = Operation(Action.RESTORE_KEYS, utc_now(), tuple(notice.owners))
        begins = operations.note(new_key_file, restored)
        try:
            key_file.create(new_key_file, secret, payload, Cost(), os.urandom)
        except BaseException:
            operations.take_back(new_key_file, begins)
            raise
    out.print(
        f"The keys of {', '.join(notice.owners)} are in {new_key_file}, under the new "
        "passphrase. The shares were seen: rotate the keys and make a new backup."
    )


def check_share(
    file: Annotated[Path, typer.Argument(help="A file with a share.")],
    of: Annotated[Path | None, typer.Option(help="The backup that it should open.")] = None,
) -> None:
    """Tell whether a share is whole, and which backup it helps to open. Shows no word."""
    with one_line():
        share = _share_in(file)
        if of is not None:
            notice = key_backup.notice_of(_read(of, key_backup.LONGEST), utc_now())
            key_backup.check_share(notice, share)
            out.print(_good_for(notice))
    out.print(
        f"Share {share.number} of backup {share.identifier} is whole; {share.threshold} are needed."
    )


def _good_for(notice: Notice) -> str:
    return (
        f"{notice.threshold} of {notice.shares} shares restore the keys of "
        f"{', '.join(notice.owners)} until {notice.expires:%Y-%m-%d}."
    )


def _prove(made: Backup, payload: bytes) -> None:
    """Open the backup with the first and with the last shares before anybody relies on it."""
    shares = [share_of(words) for words in made.shares]
    needed = made.notice.threshold
    for some in (shares[:needed], shares[-needed:]):
        if key_backup.opened(made.data, some, made.notice.made) != payload:
            raise RefusesToStart(
                "The backup did not open with its own shares; nothing was written."
            )


def _typed(notice: Notice, given: Sequence[Share]) -> Iterator[Share]:
    """Ask for the shares that are missing; an empty line ends it, a wrong one is asked again."""
    numbers = {share.number for share in given}
    while len(numbers) < notice.threshold:
        text = _asked(f"Words of share {len(numbers) + 1} of the {notice.threshold} needed")
        if not text.strip():
            return
        try:
            share = share_of(share_sheet.words_of(text))
            key_backup.check_share(notice, share)
        except RefusesToStart as error:
            err.print(f"{error}")
            continue
        if share.number in numbers:
            err.print(f"Share {share.number} was given already.")
            continue
        numbers.add(share.number)
        yield share


def _asked(what: str) -> str:
    """Read a line that is not shown; the end of the input is an empty one."""
    try:
        return str(typer.prompt(what, hide_input=True, default="", show_default=False, err=True))
    except typer.Abort:
        return ""


def _new_passphrase(path: Path | None) -> str:
    if path is not None:
        return passphrase_in(path)
    first = _asked("New passphrase")
    if first != _asked("Once more"):
        raise RefusesToStart("The two passphrases differ.")
    return first


def _share_in(path: Path) -> Share:
    text = _read(path, share_sheet.LONGEST).decode(errors="replace")
    return share_of(share_sheet.words_of(text))


def _read(path: Path, longest: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(longest + 1)
    except OSError:
        raise RefusesToStart(f"{path} cannot be read.") from None


def _not_there(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise RefusesToStart(f"There is something at {path} already; it is never replaced.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError:
        raise RefusesToStart(f"The folder {folder} cannot be made.") from None


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that was not there, for its owner only, and have it on the disk."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        raise RefusesToStart(f"{path} cannot be written. Remove what was written.") from None


def _file_names(custodians: Sequence[str], shares: int) -> list[str]:
    """Give each custodian's sheet a name, with what a path cannot hold left out."""
    if len(custodians) != shares or len(set(custodians)) != shares:
        raise RefusesToStart(
            f"Name a different custodian for each of the {shares} shares: "
            f"--custodian NAME, {shares} times."
        )
    plain = ("".join(c if c.isalnum() else "-" for c in name) for name in custodians)
    return [f"share-{number}-{name[:60]}.txt" for number, name in enumerate(plain, 1)]
