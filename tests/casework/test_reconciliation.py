"""Keys that were unwrapped against keys that events named."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.casework.explained import Explained
from api.casework.reconciliation import INTERVAL, Reconciliation


@dataclass
class House:
    """What is compared, and hands that move it."""

    explained: Explained = field(default_factory=Explained)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def keyring(self) -> Any:
        return self

    def unwrapped(self) -> dict[str, int]:
        return dict(self.counts)

    def unwrap(self, keys: int, owner: str = "lpsk") -> None:
        self.counts[owner] = self.counts.get(owner, 0) + keys


@pytest.fixture
def house() -> House:
    return House()


def compared(house: Any) -> Reconciliation:
    return Reconciliation(house)


def test_what_events_named_is_explained(house: House) -> None:
    reconciliation = compared(house)
    for keys in (100, 3, 0, 250):
        house.explained.add("lpsk", keys)
        house.unwrap(keys)
        with capture_logs() as lines:
            assert reconciliation.look() == {}
        assert lines == []


def test_one_key_too_many_is_reported_once_with_counts_only(house: House) -> None:
    reconciliation = compared(house)
    house.explained.add("lpsk", 5)
    house.unwrap(6)

    with capture_logs() as lines:
        assert reconciliation.look() == {"lpsk": 1}
        assert reconciliation.look() == {}

    assert lines == [
        {
            "event": "openings_unexplained",
            "log_level": "critical",
            "owner": "lpsk",
            "unexplained": 1,
            "unwrapped": 6,
            "explained": 5,
        }
    ]
    house.unwrap(2)
    assert reconciliation.look() == {"lpsk": 2}


def test_one_owner_does_not_explain_for_another(house: House) -> None:
    house.explained.add("komnas-ham", 100)
    house.unwrap(1, "lpsk")
    house.unwrap(1, "komnas-ham")

    assert compared(house).look() == {"lpsk": 1}


def test_what_is_explained_just_before_a_look_may_open_after_it(house: House) -> None:
    reconciliation = compared(house)
    house.explained.add("lpsk", 4)
    assert reconciliation.look() == {}
    house.unwrap(4)
    assert reconciliation.look() == {}


def test_what_did_not_open_explains_nothing_later(house: House) -> None:
    reconciliation = compared(house)
    house.explained.add("lpsk", 50)  # And the key service was down.
    reconciliation.look()
    reconciliation.look()

    house.unwrap(1)

    assert reconciliation.look() == {"lpsk": 1}


async def test_it_looks_after_each_pause(house: House) -> None:
    reconciliation = compared(house)
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        house.unwrap(1)
        if len(waited) == 3:
            raise asyncio.CancelledError

    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await reconciliation.look_forever(pause)

    assert waited == [INTERVAL] * 3
    assert [line["unexplained"] for line in lines] == [1, 1]
