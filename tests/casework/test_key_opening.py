"""What does not hold is left out and reported; finding it costs few calls of the key service."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from api.casework.key_opening import open_keys
from api.crypto.data_keys import WrappedKey
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.keyring import Keyring
from api.store.key_wraps import StoredKey
from api.vocabulary import Compartment

OWNER = "komnas-ham"
#: Wraps of one page, and the calls that finding one bad one among them may take.
MANY, CALLS = 512, 1 + 2 * 9


class Counting:
    """A key service that counts how often it is asked."""

    def __init__(self, service: FileKeyService) -> None:
        self.calls = 0
        self._service = service

    async def unwrap_many(self, owner: str, items: Any) -> list[bytes]:
        self.calls += 1
        return await self._service.unwrap_many(owner, items)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)


@pytest.fixture
async def asked(tmp_path: Path) -> tuple[Any, Counting, list[WrappedKey]]:
    service = Counting(
        FileKeyService.create(
            tmp_path / "keys", lambda: "pagar makan tanaman", [OWNER], cost=Cost(8, 1, 1)
        )
    )
    keyring = await Keyring.start(service, [])
    places = [(UUID(int=n), Compartment.IDENTITY) for n in range(MANY)]
    wraps = [wrap for _, wrap in await keyring.new_keys(OWNER, places)]
    return SimpleNamespace(keyring=keyring), service, wraps


@pytest.mark.parametrize("place", [0, 1, MANY // 2, MANY - 1])
async def test_one_bad_wrap_among_many_is_left_out_and_costs_few_calls(
    asked: tuple[Any, Counting, list[WrappedKey]], place: int
) -> None:
    house, service, wraps = asked
    bad = wraps[place]
    for spoiled in (
        bad._replace(wrapped=wraps[place - 1].wrapped),
        bad._replace(commitment=bytes(32)),
        bad._replace(kek_version=9),
        bad._replace(version=None),  # type: ignore[arg-type]  # as SQLite may keep it
    ):
        service.calls = 0
        there = [*wraps[:place], spoiled, *wraps[place + 1 :]]
        with capture_logs() as lines:
            opened = await open_keys(house, OWNER, [StoredKey(w) for w in there])

        assert {key.record for key in opened.keys} == {w.record for w in wraps} - {bad.record}
        assert service.calls <= CALLS
        assert [line["table"] for line in lines] == ["data_key"]


async def test_where_all_are_bad_nothing_opens_and_each_is_reported(
    asked: tuple[Any, Counting, list[WrappedKey]],
) -> None:
    house, service, wraps = asked
    spoiled = [wrap._replace(commitment=wrap.wrapped) for wrap in wraps]
    with capture_logs() as lines:
        opened = await open_keys(house, OWNER, [StoredKey(w) for w in spoiled])
    assert opened.keys == []
    assert len(lines) == MANY
    assert service.calls < 2 * MANY


async def test_where_all_hold_one_call_is_enough(
    asked: tuple[Any, Counting, list[WrappedKey]],
) -> None:
    house, service, wraps = asked
    opened = await open_keys(house, OWNER, [StoredKey(w) for w in wraps])
    assert len(opened.keys) == MANY
    assert service.calls == 1


async def test_a_key_that_its_wrap_does_not_commit_to_has_no_other_unwrapped_again(
    asked: tuple[Any, Counting, list[WrappedKey]],
) -> None:
    """Each unwrapping is counted, and one too many is reported as unexplained."""
    house, service, wraps = asked
    there = [wraps[0]._replace(commitment=bytes(32)), *wraps[1:]]

    opened = await open_keys(house, OWNER, [StoredKey(w) for w in there])

    assert len(opened.keys) == MANY - 1
    assert service.calls == 1
