"""The quick reader takes no leaf that `decode` refuses, and reads the same in it."""

import os
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.accesslog.event import Event, decode, encode
from api.accesslog.scan import Rows, read_into, scan_into
from api.accesslog.search import agency_copies, event_row, record_rows, words_rows
from api.errors import LeafMalformed, LogBroken
from tests.accesslog.events import EVENTS, read_of, refusal

NONCE = bytes(range(16))
PLAIN = encode(read_of(7), NONCE)


def expected(index: int, event: Event) -> Rows:
    """Give the rows as the search tables are filled."""
    return Rows(
        [event_row(index, event)],
        list(record_rows(index, event)),
        list(agency_copies(index, event)),
        list(words_rows(index, event)),
    )


def rows_of(index: int, body: bytes) -> Rows:
    rows = Rows()
    read_into(rows, index, body)
    return rows


def scan(index: int, body: bytes) -> Rows | None:
    rows = Rows()
    taken = scan_into(rows, index, body)
    assert taken or rows == Rows(), "what is not taken leaves nothing"
    return rows if taken else None


def same(found: Rows, event: Event) -> None:
    """Compare, and ask for the very types that a database gives back."""
    want = expected(found.events[0][0], event)
    assert found.events == want.events
    assert set(found.records) == set(want.records)
    assert Counter(found.agencies) == Counter(want.agencies)
    assert Counter(found.words) == Counter(want.words)


@given(EVENTS, st.binary(min_size=16, max_size=16))
@settings(max_examples=200)
def test_it_reads_in_every_event_what_the_search_tables_hold(event: Event, nonce: bytes) -> None:
    same(rows_of(3, encode(event, nonce)), event)


@given(EVENTS)
def test_nearly_every_event_is_read_without_decoding(event: Event) -> None:
    numbers = [event.intent or 0, *(one[2] for t in event.touched for one in t.records)]
    rare = (event.count, event.step, event.previous, event.commitment) != (None,) * 4
    common = max(numbers) < 10**18 and not rare
    found = scan(3, encode(event, NONCE))
    assert (found is not None) == common
    if found is not None:
        same(found, event)


@given(EVENTS, st.data())
@settings(max_examples=200)
def test_it_takes_no_changed_leaf_that_decode_refuses(event: Event, data: st.DataObject) -> None:
    body = encode(event, NONCE)
    at = data.draw(st.integers(0, len(body)))
    until = data.draw(st.integers(at, min(len(body), at + 3)))
    changed = body[:at] + data.draw(st.binary(max_size=3)) + body[until:]
    judged(changed)


@given(EVENTS, st.data())
@settings(max_examples=200)
def test_it_takes_no_leaf_with_parts_exchanged_that_decode_refuses(
    event: Event, data: st.DataObject
) -> None:
    body = encode(event, NONCE)
    places = sorted(data.draw(st.lists(st.integers(0, len(body)), min_size=4, max_size=4)))
    a, b, c, d = places
    judged(body[:a] + body[c:d] + body[b:c] + body[a:b] + body[d:])


def judged(body: bytes) -> None:
    """Ask both; whatever the quick one takes, the strict one must take, and read the same."""
    found = scan(3, body)
    try:
        event = decode(body)
    except LeafMalformed:
        assert found is None, body
        with pytest.raises(LogBroken, match="entry 3: is not an event"):
            rows_of(3, body)
        return
    same(rows_of(3, body), event)


def test_every_byte_of_a_leaf_is_looked_at() -> None:
    for body in (PLAIN, encode(refusal(7), NONCE)):
        for at in range(len(body)):
            for bit in range(8):
                judged(body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :])
            judged(body[:at] + body[at + 1 :])
            judged(body[:at] + body[at : at + 1] + body[at:])


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        (b"2026-11-23T12:00:07.000000Z", b"2026-02-30T12:00:07.000000Z"),
        (b"2026-11-23T12:00:07.000000Z", b"2026-11-23T24:00:07.000000Z"),
        (b"2026-11-23T12:00:07.000000Z", b"2026-11-23T12:00:60.000000Z"),
        (b"2026-11-23T12:00:07.000000Z", b"0000-11-23T12:00:07.000000Z"),
        (b'["contact","identity"]', b'["identity","contact"]'),
        (b'["contact","identity"]', b'["contact","contact"]'),
        (b'["contact","identity"]', b'["contact","records"]'),
        (b'["fullName","phone"]', b'["phone","fullName"]'),
        (b'["fullName","phone"]', b'["fullName","fullName"]'),
        (b'"agencies":["komnas-ham"]', b'"agencies":["lpsk","komnas-ham"]'),
        (b'"agencies":["komnas-ham"]', b'"agencies":["komnas-ham","komnas-ham"]'),
        (b'",3]', b'",03]'),
        (b'",3]', b'",3.0]'),
        (b'",3]', b'",' + b"9" * 5_000 + b"]"),
        (b'"outcome":null', b'"outcome":null,"outcome":null'),
        (b'"outcome":null', '"outcome":"é"'.encode("latin-1")),
        (b'"outcome":null}', b'"outcome":null}\n'),
        (b'"request":"0', '"request":"٣'.encode()),
    ],
)
def test_it_refuses_what_decode_refuses(there: bytes, instead: bytes) -> None:
    body = PLAIN.replace(there, instead)
    assert body != PLAIN
    judged(body)
    assert scan(3, body) is None


def test_fields_with_the_names_of_keys_mislead_nobody() -> None:
    event = read_of(1)
    touched = event.touched[0]
    names = ("agencies", "compartments", "decision", "fields", "ground", "records")
    odd = type(touched)(
        touched.decision, None, None, (), names, (touched.records[0], touched.records[0])
    )
    event = Event(
        **{
            name: getattr(event, name)
            for name in Event.__slots__
            if name not in ("touched", "agencies")
        },
        touched=(odd, touched, odd),
        agencies=("agencies", "touched"),
    )
    same(rows_of(2, encode(event, os.urandom(16))), event)


def test_a_leaf_that_is_too_long_is_no_event() -> None:
    one = read_of(1).touched[0]
    event = read_of(1)
    many = (one,) * 400
    long = Event(
        **{name: getattr(event, name) for name in Event.__slots__ if name != "touched"},
        touched=many,
    )
    with pytest.raises(LeafMalformed):
        encode(long, NONCE)
    groups = PLAIN[PLAIN.index(b'"touched":[') + 11 : PLAIN.index(b'],"intent"')]
    judged(PLAIN.replace(groups, b",".join([groups] * 400)))


def test_a_part_that_is_too_long_to_be_remembered_is_decoded() -> None:
    for agencies in (("a" * 60,), tuple(f"{n:03}{'a' * 57}" for n in range(150))):
        event = replace(read_of(7), agencies=agencies)
        body = encode(event, NONCE)
        assert (scan(3, body) is None) == (len(agencies) > 1)
        same(rows_of(3, body), event)
