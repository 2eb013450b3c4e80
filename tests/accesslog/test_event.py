"""The bytes of an event: one spelling, no room for anything that is not an event."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.event import MAX_LEAF, Event, Touched, decode, decode_with_nonce, encode
from api.errors import LeafMalformed
from api.vocabulary import Compartment, RecordKind
from tests.accesslog.events import EVENTS, read_of, record, refusal

NONCE = bytes(range(16))


@given(EVENTS, st.binary(min_size=16, max_size=16))
def test_what_is_written_is_what_is_read(event: Event, nonce: bytes) -> None:
    body = encode(event, nonce)

    assert decode_with_nonce(body) == (event, nonce)
    assert encode(decode(body), nonce) == body


def test_the_format_does_not_change_unnoticed() -> None:
    assert encode(read_of(7), NONCE) == (
        b'{"v":1,"nonce":"000102030405060708090a0b0c0d0e0f","at":"2026-11-23T12:00:07.000000Z",'
        b'"request":"00000000000000000000000000000007",'
        b'"actor":"0192f0c1000070008000000000000001","organisation":"komnas-ham",'
        b'"role":"case_officer","action":"read","phase":"whole","purpose":"protection",'
        b'"basis":"public_task","decision":"disclosed","code":null,'
        b'"policy":"abababababababababababababababababababababababababababababababab",'
        b'"agencies":["komnas-ham"],"touched":[{"decision":"disclosed","ground":"assigned",'
        b'"reason":null,"compartments":["contact","identity"],"fields":["fullName","phone"],'
        b'"records":[["defender","0192f0c2000000000000000000000007",3]]}],'
        b'"intent":null,"outcome":null}'
    )


def test_the_keys_that_are_rare_stand_last_and_only_where_they_say_something() -> None:
    event = replace(refusal(), count=1_940, step=-7, previous="cd" * 32, commitment="ef" * 32)

    body = encode(event, NONCE)

    assert (
        body
        == encode(refusal(), NONCE)[:-1]
        + (b',"count":1940,"step":-7,"previous":"' + b"cd" * 32 + b'","commitment":"' + b"ef" * 32)
        + b'"}'
    )
    for name in ("count", "step", "previous", "commitment"):
        one = replace(refusal(), **{name: getattr(event, name)})
        assert decode(encode(one, NONCE)) == one
        assert b"null" not in encode(one, NONCE)[len(encode(refusal(), NONCE)) - 1 :]


def test_sets_of_words_have_one_order() -> None:
    event = replace(read_of(), agencies=("lpsk", "komnas-ham", "lpsk"))

    assert event.agencies == ("komnas-ham", "lpsk")
    assert decode(encode(event, NONCE)) == event


def _spellings() -> dict[str, bytes]:
    body = encode(read_of(), NONCE)
    fields = json.loads(body)
    compact: dict[str, Any] = {"separators": (",", ":")}

    def dump(**changes: object) -> bytes:
        return json.dumps({**fields, **changes}, **compact).encode()

    missing = {key: value for key, value in fields.items() if key != "code"}
    touched = fields["touched"][0]
    return {
        "nothing": b"",
        "a list": b"[]",
        "a number": b"1",
        "not UTF-8": b"\xff",
        "UTF-16": body.decode().encode("utf-16"),
        "spaces": json.dumps(fields).encode(),
        "a newline after it": body + b"\n",
        "a key more": dump(note="hello"),
        "a key less": json.dumps(missing, **compact).encode(),
        "another order": json.dumps(dict(reversed(fields.items())), **compact).encode(),
        "a key twice": body.replace(b'"v":1,', b'"v":1,"v":1,'),
        "another version": dump(v=2),
        "an escaped letter": body.replace(b'"read"', b'"\\u0072ead"'),
        "an unknown word": dump(action="stare"),
        "a word of another list": dump(action="disclosed"),
        "null where a word must be": dump(phase=None),
        "free text": dump(request="Siti Nurhaliza, Jakarta"),
        "an empty word": dump(organisation=""),
        "a long word": dump(organisation="a" * 65),
        "a word with a newline": dump(code="NOT_FOUND\n"),
        "a number for a word": dump(organisation=7),
        "true for a number": dump(intent=True),
        "a fraction for a number": dump(intent=1.0),
        "a negative number": dump(intent=-1),
        "not a number": body.replace(b'"intent":null', b'"intent":NaN'),
        "another zone": dump(at="2026-11-23T12:00:00.000000+00:00"),
        "no fraction of a second": dump(at="2026-11-23T12:00:00Z"),
        "a longer fraction": dump(at="2026-11-23T12:00:00.0000000Z"),
        "an id with dashes": dump(actor=str(UUID(fields["actor"]))),
        "an id in capitals": dump(actor=fields["actor"].upper()),
        "a short nonce": dump(nonce="00"),
        "a nonce with spaces": dump(nonce="00 " * 16),
        "agencies out of order": dump(agencies=["lpsk", "komnas-ham"]),
        "an agency twice": dump(agencies=["lpsk", "lpsk"]),
        "a string for a list": dump(agencies="lpsk"),
        "fields out of order": dump(touched=[{**touched, "fields": ["phone", "fullName"]}]),
        "a record without revision": dump(touched=[{**touched, "records": [["note", "00"]]}]),
        "a revision that is true": dump(
            touched=[{**touched, "records": [["note", record(1).hex, True]]}]
        ),
        "a rare key that is null": dump(count=None),
        "rare keys out of order": dump(step=1, count=1),
        "a rare key before its place": body.replace(b',"intent"', b',"count":1,"intent"'),
        "a rare key instead of another": body.replace(b'"intent":null', b'"count":1'),
        "a rare key twice": dump(count=1).replace(b'"count":1', b'"count":1,"count":1'),
        "a count that is true": dump(count=True),
        "a negative count": dump(count=-1),
        "no step": dump(step=0),
        "a step with a plus": dump(step=1).replace(b'"step":1', b'"step":+1'),
        "a step of minus nothing": dump(step=1).replace(b'"step":1', b'"step":-0'),
        "a step with a fraction": dump(step=1.5),
        "a step of endless digits": dump(step=1).replace(b'"step":1', b'"step":1' + b"0" * 5000),
        "a sentence for a policy": dump(previous="the old one"),
        "a short commitment": dump(commitment="ef" * 31),
        "a commitment in capitals": dump(commitment="EF" * 32),
        "a text for a commitment": dump(commitment="x" * 64),
        "deep nesting": b"[" * 100_000,
    }


@pytest.mark.parametrize("name", _spellings())
def test_other_bytes_are_no_event(name: str) -> None:
    with pytest.raises(LeafMalformed) as refused:
        decode(_spellings()[name])
    assert refused.value.__cause__ is None


@given(st.data())
def test_an_event_with_a_byte_changed_is_another_event_or_none(data: st.DataObject) -> None:
    body = bytearray(encode(read_of(), NONCE))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))

    try:
        event, nonce = decode_with_nonce(bytes(body))
    except LeafMalformed:
        return
    assert encode(event, nonce) == body


@pytest.mark.parametrize(
    "changes",
    [
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001  # a naive moment is what is refused
        {"at": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=7)))},
        {"at": "2026-01-01T00:00:00.000000Z"},
        {"request": "two words"},
        {"request": None},
        {"request": "\ud800"},
        {"actor": "sari"},
        {"action": "stare"},
        {"role": "queen"},
        {"code": "line\nbreak"},
        {"policy": 'quote"'},
        {"agencies": ("Jalan Latuharhary 4B",)},
        {"agencies": (1,)},
        {"intent": -1},
        {"intent": True},
        {"touched": (None,)},
        {"count": -1},
        {"count": True},
        {"step": 0},
        {"step": True},
        {"step": 1.5},
        {"previous": "the old one"},
        {"commitment": "ef" * 31 + "EF"},
        {"commitment": "ef" * 33},
    ],
    ids=repr,
)
def test_what_no_leaf_may_hold_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(LeafMalformed):
        encode(replace(read_of(), **changes), NONCE)


@pytest.mark.parametrize(
    "changes",
    [
        {"records": ((RecordKind.NOTE, record(1), -1),)},
        {"records": ((RecordKind.NOTE, record(1), True),)},
        {"records": (("cellar", record(1), 1),)},
        {"records": ((RecordKind.NOTE, "id", 1),)},
        {"fields": ("Nama lengkap",)},
        {"compartments": ("cellar",)},
    ],
    ids=repr,
)
def test_what_no_touched_record_may_hold_is_not_written(changes: dict[str, Any]) -> None:
    event = read_of()
    with pytest.raises(LeafMalformed):
        encode(replace(event, touched=(replace(event.touched[0], **changes),)), NONCE)


def test_a_nonce_has_sixteen_bytes() -> None:
    with pytest.raises(LeafMalformed):
        encode(refusal(), b"short")


def test_a_thousand_records_fit_and_what_is_over_the_limit_is_refused() -> None:
    def of(count: int) -> Event:
        touched = Touched(
            decision=read_of().decision,
            ground=None,
            reason=None,
            compartments=tuple(Compartment),
            fields=tuple(f"field{number}" for number in range(50)),
            records=tuple((RecordKind.ASSIGNMENT, record(n), 9_999) for n in range(count)),
        )
        return replace(read_of(), touched=(touched,))

    assert len(encode(of(1_000), NONCE)) <= MAX_LEAF
    with pytest.raises(LeafMalformed):
        encode(of(1_300), NONCE)
