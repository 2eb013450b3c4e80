"""A stream opens for its own attachment only, as a whole, and only after it was checked."""

import pickle
from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.crypto.data_keys import DataKey
from api.crypto.streams import Checked, StreamCheck, StreamOpener, StreamSealer, padded_length
from api.errors import SealBroken
from api.vocabulary import Compartment

ATTACHMENT, CASE_FILE = UUID(int=1), UUID(int=2)
KEY = DataKey(ATTACHMENT, Compartment.DOCUMENTS, 1, b"k" * 32)

#: Bytes of one segment of C2SP chunked encryption with its tag, and of what stands in front.
SEGMENT, FRONT = 16 * 1024 + 16, 56


def sealed(content: bytes, key: DataKey = KEY, case_file: UUID = CASE_FILE) -> bytes:
    sealer = StreamSealer(key, case_file)
    return sealer.update(content) + sealer.finish()


def checked(
    data: bytes, size: int, key: DataKey = KEY, case_file: UUID = CASE_FILE, step: int = 99_991
) -> Checked:
    check = StreamCheck(key, case_file, size)
    for start in range(0, len(data), step):
        check.update(data[start : start + step])
    return check.finish()


def opened(proof: Checked, data: bytes, step: int = 99_991) -> bytes:
    opener = StreamOpener(proof)
    parts = [opener.update(data[start : start + step]) for start in range(0, len(data), step)]
    return b"".join(parts) + opener.finish()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 200_000), st.integers(500, 70_000), st.integers(0, 9))
def test_what_is_sealed_opens_however_it_is_cut(size: int, step: int, tail: int) -> None:
    # Zeros at the end are content as long as the size says so.
    content = Random(size).randbytes(max(0, size - tail)) + bytes(min(tail, size))
    sealer = StreamSealer(KEY, CASE_FILE)
    data = b"".join(sealer.update(content[i : i + step]) for i in range(0, size, step))
    data += sealer.finish()

    assert opened(checked(data, size, step=step), data, step) == content


def test_lengths_tell_one_of_32_steps_and_cost_at_most_a_thirty_second() -> None:
    assert {padded_length(n) for n in (0, 1, 65_535, 65_536)} == {65_536}
    assert [padded_length(n) for n in (65_537, 67_584, 67_585)] == [67_584, 67_584, 69_632]
    assert padded_length(100 * 1024 * 1024) == 100 * 1024 * 1024
    steps = {padded_length(n) for n in range(1 << 20, 1 << 21, 997)} - {1 << 20}
    assert len(steps) == 32
    for n in Random(1).choices(range(65_536, 100 * 1024 * 1024), k=500):
        assert 0 <= padded_length(n) - n < n / 32
    assert len(sealed(b"")) == len(sealed(b"x" * 65_536)) == FRONT + 4 * SEGMENT + 16


def test_equal_contents_have_streams_with_nothing_in_common() -> None:
    first, second = sealed(b"x" * 1000), sealed(b"x" * 1000)
    pieces = {first[i : i + 16] for i in range(0, len(first), 16)}
    assert not pieces & {second[i : i + 16] for i in range(0, len(second), 16)}


CONTENT = Random(7).randbytes(150_000)
DATA = sealed(CONTENT)


def flipped(place: int) -> bytes:
    data = bytearray(DATA)
    data[place] ^= 0x40
    return bytes(data)


def swapped(one: int, other: int) -> bytes:
    parts = [DATA[FRONT + i * SEGMENT :][:SEGMENT] for i in range(-(-len(DATA) // SEGMENT))]
    parts[one], parts[other] = parts[other], parts[one]
    return DATA[:FRONT] + b"".join(parts)


OTHER = sealed(Random(8).randbytes(150_000))
BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "only the front": DATA[:FRONT],
    "one byte less": DATA[:-1],
    "one segment less": DATA[: FRONT + 3 * SEGMENT],
    "its last segment missing": DATA[: FRONT + len(DATA) // SEGMENT * SEGMENT],
    "one byte more": DATA + b"\x00",
    "itself once more": DATA + DATA,
    "segments swapped": swapped(1, 2),
    "a segment twice": DATA[: FRONT + SEGMENT] + DATA[FRONT : FRONT + SEGMENT] + DATA[FRONT:],
    "a segment missing": DATA[: FRONT + SEGMENT] + DATA[FRONT + 2 * SEGMENT :],
    "a segment of another stream": (
        DATA[: FRONT + SEGMENT]
        + OTHER[FRONT + SEGMENT : FRONT + 2 * SEGMENT]
        + DATA[FRONT + 2 * SEGMENT :]
    ),
    "the front of another stream": OTHER[:FRONT] + DATA[FRONT:],
    **{f"byte {i} flipped": flipped(i) for i in (0, 23, 24, 55, 56, 100_000, -1)},
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_stream_that_was_changed_gives_no_proof(data: bytes) -> None:
    with pytest.raises(SealBroken):
        checked(data, len(CONTENT))


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_stream_that_is_changed_after_it_was_checked_gives_a_true_beginning_at_most(
    data: bytes,
) -> None:
    proof, given = checked(DATA, len(CONTENT)), bytearray()
    opener = StreamOpener(proof)

    with pytest.raises(SealBroken):  # noqa: PT012  # what came before counts
        for start in range(0, len(data), 1000):
            given += opener.update(data[start : start + 1000])
        given += opener.finish()

    assert CONTENT.startswith(bytes(given))


ELSEWHERE: dict[str, Callable[[], Checked]] = {
    "case file": lambda: checked(DATA, 150_000, KEY, UUID(int=3)),
    "attachment": lambda: checked(
        DATA, 150_000, DataKey(UUID(int=3), KEY.compartment, 1, b"k" * 32)
    ),
    "compartment": lambda: checked(
        DATA, 150_000, DataKey(ATTACHMENT, Compartment.NARRATIVE, 1, b"k" * 32)
    ),
    "version": lambda: checked(DATA, 150_000, DataKey(ATTACHMENT, KEY.compartment, 2, b"k" * 32)),
    "key": lambda: checked(DATA, 150_000, DataKey(ATTACHMENT, KEY.compartment, 1, b"l" * 32)),
    "size": lambda: checked(DATA, 149_999),
    "larger size": lambda: checked(DATA, 200_000),
    "smaller size": lambda: checked(DATA, 100),
}


@pytest.mark.parametrize("elsewhere", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_stream_is_whole_in_its_own_place_only(elsewhere: Callable[[], Checked]) -> None:
    with pytest.raises(SealBroken):
        elsewhere()


def test_the_proof_comes_from_the_check_only() -> None:
    with pytest.raises(SealBroken):
        Checked(object(), KEY, CASE_FILE, 1)


def test_neither_a_key_nor_a_content_is_shown_or_copied() -> None:
    proof = checked(DATA, len(CONTENT))
    for one in (StreamSealer(KEY, CASE_FILE), StreamCheck(KEY, CASE_FILE, 1), proof):
        assert repr(one) == "<stream>"
        with pytest.raises(TypeError):
            pickle.dumps(one)
    assert repr(StreamOpener(proof)) == "<stream>"
