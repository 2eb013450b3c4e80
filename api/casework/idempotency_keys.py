"""A change that a client names by a key is made once, however often it is asked for.

The key is claimed, durably, before anything is decided, so that of two requests with it one is
told to wait, in whichever process. It is used up by what was done and by nothing else: where the
log has no intent of the request, or each ended as `nothing`, the claim goes and a repeat is tried
as if it were the first one.

What was done is answered once more only where nothing was opened for the first answer: a copy of
an opened field would outlive the keys of its record. Such an answer has ids, numbers, moments and
codes, is sealed under the organisation's key, and is decided on again: who no longer sees the case
file is told that the change was made, and nothing of it. A repeat discloses nothing that was not
told to the same member before, so it leaves no event; its receipt is that of the first request.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID

import structlog

from api.accesslog.finding import Filters
from api.casework import rights
from api.casework.disclosure import Reading, read_rows
from api.casework.facts import facts_of
from api.casework.house import House
from api.casework.receipts import Noting, receipt_of
from api.crypto.framing import frame
from api.errors import (
    AlreadyDone,
    IdempotencyKeyReused,
    OutcomeUnknown,
    PerisaiError,
    RequestUnderWay,
    SealBroken,
)
from api.policies.gate import Allowed
from api.store import idempotency_keys as rows
from api.store.case_file_statements import Shape, Which
from api.store.idempotency_keys import Row
from api.vocabulary import CASEWORK_ROLES, Action, Caller, Outcome, Phase, RecordKind

_log = structlog.get_logger("perisai.idempotency_keys")

#: How long a key is remembered: a client that was off for a day has to look first.
KEPT = timedelta(hours=24)
#: A request that did not end within this was cut off, or its end will be told when it comes: it
#: is three times what a client waits for (`request_seconds`).
UNDER_WAY = timedelta(minutes=1)
#: Seconds between two looks for what is older than KEPT.
FORGET_EVERY = 3600.0

#: Most events of a member among which those of one request are looked for.
_EVENTS_MOST = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: What an answer may say and be kept: an id, a moment, a code of the schema.
_PLAIN = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
    r"|[A-Z][A-Z_]*"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request holds until it has ended."""

    row: Row = field(repr=False)


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a request is answered with whose key was used up.

    Attributes:
        receipt: of the first request.
        data: of the first answer; None: *error* is told instead.
        case_files: of the first request, those that the caller still sees.
    """

    receipt: str
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    error: type[PerisaiError] | None = None
    case_files: tuple[UUID, ...] = ()


async def claim(house: House, caller: Caller, key: str, asked: bytes) -> Claim | Repeat:
    """Claim *key* for *caller*, or say what became of the request that had it before.

    Args:
        asked: all that makes one request another one, beside its purpose and its basis.

    Raises:
        RequestUnderWay: it is claimed, and may still end.
        IdempotencyKeyReused: something else was asked for with it.
        SealBroken: what is kept of it is not as the organisation sealed it.
        LogUnavailable: the receipt of a request that was cut off cannot be looked up.
    """
    answers = house.keyring.answers_key(caller.organisation)
    digest = answers.digest(b"key", caller.member.bytes, key.encode("ascii"))
    said = [word.value if word else "" for word in (caller.purpose, caller.basis)]
    fingerprint = answers.digest(b"request", digest, *map(str.encode, said), asked)
    now = house.now()
    row = Row(digest, fingerprint, now, b"")
    row = row._replace(sealed=_seal(house, caller, row, {"request": caller.request}))
    async with house.records.change() as change:
        if await rows.claim(change, row, now - KEPT):
            return Claim(row)
    async with house.records.look() as look:
        found = await rows.of_digest(look, digest)
    if found is None:
        raise RequestUnderWay  # It was released meanwhile: to ask again will do.
    kept = _open(house, caller, found)
    if not compare_digest(found.fingerprint, fingerprint):
        raise IdempotencyKeyReused
    if "receipt" in kept:
        return await _again(house, caller, kept)
    if now - found.claimed_at < UNDER_WAY:
        raise RequestUnderWay
    receipt = await _cut_off(house, caller, found.claimed_at, kept["request"])
    return Repeat(receipt, error=OutcomeUnknown)


async def end(
    house: House,
    caller: Caller,
    claim: Claim,
    noted: Noting,
    data: Mapping[str, Any] | None,
    receipt: str,
) -> None:
    """Write how the request ended that holds *claim*; what fails is reported and told to nobody.

    It was answered for by then. A claim that stays says that the outcome is unknown.

    Args:
        data: of the answer; None: it has errors.
    """
    outcomes = [event.outcome for event in noted.changes if event.phase is Phase.OUTCOME]
    ended = set(outcomes) <= {Outcome.DONE, Outcome.NOTHING}
    if len(noted.changes) != 2 * len(outcomes) or not ended:
        return
    kept: dict[str, Any] = {
        "request": caller.request,
        "receipt": receipt,
        "case_files": [file.hex for file in _case_files(noted)],
        "data": data if data is not None and not noted.disclosed and _plain(data) else None,
    }
    try:
        async with house.records.change() as change:
            if Outcome.DONE in outcomes:
                await rows.end(change, claim.row, _seal(house, caller, claim.row, kept))
            else:
                await rows.release(change, claim.row)
    except PerisaiError as error:
        _log.warning("idempotency_key_not_ended", code=error.code)


async def forget(house: House) -> None:
    """Take away what is older than KEPT.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    async with house.records.change() as change:
        await rows.forget_until(change, house.now() - KEPT)


async def forget_forever(
    house: House, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Forget at once and then again and again, until cancelled."""
    while True:
        try:
            await forget(house)
        except PerisaiError as error:
            _log.warning("idempotency_keys_not_forgotten", code=error.code)
        await pause(FORGET_EVERY)


async def _again(house: House, caller: Caller, kept: Mapping[str, Any]) -> Repeat:
    """Answer what was done once more, as far as the caller sees now what it was done to."""
    # Who does no casework sees no case file, and their answers rest on none.
    works = caller.role in CASEWORK_ROLES
    files = [UUID(file) for file in kept["case_files"]] if works else []
    seen = await _seen(house, caller, files) if works else []
    if kept["data"] is not None and len(seen) == len(files):
        return Repeat(kept["receipt"], kept["data"])
    return Repeat(kept["receipt"], error=AlreadyDone, case_files=tuple(seen))


async def _seen(house: House, caller: Caller, files: Sequence[UUID]) -> list[UUID]:
    """Give those of *files* that exist for the caller, by rows whose seals hold."""
    found = []
    now = house.now()
    async with house.records.snapshot() as snapshot:
        who = await rights.caseworker(house, snapshot, caller)
        for file in files:
            reading = Reading(
                Action.READ, Shape(Which.ONE, frozenset({"status"}), None), {"id": file}
            )
            for row in await read_rows(house, snapshot, caller, who, reading, now):
                facts = facts_of(house, caller, row)
                if facts is not None and isinstance(house.gate.see(who, facts), Allowed):
                    found.append(file)
    return found


def _case_files(noted: Noting) -> list[UUID]:
    """Name the case files of all changes, in their order."""
    return list(
        dict.fromkeys(
            record
            for event in noted.changes
            for touched in event.touched
            for kind, record, _ in touched.records
            if kind is RecordKind.CASE_FILE
        )
    )


async def _cut_off(house: House, caller: Caller, since: datetime, request: str) -> str:
    """Make the receipt of a request that never ended, from its events in the log."""
    about = Filters(actor=caller.member, since=since, until=since + UNDER_WAY)
    events = await house.log.find(about, agency=caller.organisation, first=_EVENTS_MOST)
    found = [index for index, event in events if event.request == request]
    return receipt_of(house, caller, request, found)


def _plain(value: object) -> bool:
    """Tell whether *value* holds ids, numbers, moments and codes alone."""
    if isinstance(value, Mapping):
        return all(map(_plain, value.values()))
    if isinstance(value, list):
        return all(map(_plain, value))
    return (
        value is None
        or isinstance(value, bool | int)
        or (isinstance(value, str) and _PLAIN.fullmatch(value) is not None)
    )


def _context(caller: Caller, row: Row) -> bytes:
    claimed = ((row.claimed_at - _EPOCH) // _MICROSECOND).to_bytes(8)
    parts: Iterable[bytes] = (row.digest, row.fingerprint, claimed)
    return frame(caller.organisation.encode(), caller.member.bytes, *parts)


def _seal(house: House, caller: Caller, row: Row, kept: Mapping[str, Any]) -> bytes:
    key = house.keyring.answers_key(caller.organisation)
    return key.seal(_context(caller, row), json.dumps(kept).encode())


def _open(house: House, caller: Caller, row: Row) -> dict[str, Any]:
    """Open what is kept of *row*.

    Raises:
        SealBroken: any column is not as it was written.
    """
    key = house.keyring.answers_key(caller.organisation)
    try:
        context = _context(caller, row)
    except (OverflowError, TypeError):  # SQLite keeps any type in any column.
        raise SealBroken from None
    kept: dict[str, Any] = json.loads(key.open(context, row.sealed))
    return kept
