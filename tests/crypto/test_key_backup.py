"""A backup opens with a quorum of its own shares, unchanged, until it expires."""

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest

from api.crypto import key_backup
from api.crypto.key_backup import Backup
from api.crypto.key_shares import Share, combined, share_of, split
from api.errors import RefusesToStart

PAYLOAD = b'{"v":1,"owners":{"lpsk":{}}}'
MADE = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
LIFETIME = timedelta(days=90)


def make(**other: object) -> Backup:
    options: dict[str, object] = {
        "made": MADE,
        "lifetime": LIFETIME,
        "shares": 5,
        "threshold": 3,
        "randomness": os.urandom,
    }
    return key_backup.make(PAYLOAD, ["komnas-ham", "lpsk"], **{**options, **other})  # type: ignore[arg-type]


def shares_of(backup: Backup) -> list[Share]:
    return [share_of(words) for words in backup.shares]


def test_a_quorum_opens_it_until_it_expires_and_not_a_second_longer() -> None:
    backup = make()
    shares = shares_of(backup)
    for now in (MADE, MADE + LIFETIME - timedelta(seconds=1)):
        assert key_backup.opened(backup.data, shares[1:4], now) == PAYLOAD
    for now in (MADE + LIFETIME, MADE + timedelta(days=5000)):
        with pytest.raises(RefusesToStart, match="expired on 2027-01-31"):
            key_backup.opened(backup.data, shares, now)
        with pytest.raises(RefusesToStart, match="expired on 2027-01-31"):
            key_backup.notice_of(backup.data, now)


def test_a_clock_from_before_it_was_made_is_refused() -> None:
    backup = make()
    key_backup.notice_of(backup.data, MADE - timedelta(minutes=1))
    with pytest.raises(RefusesToStart, match="Set the clock"):
        key_backup.opened(backup.data, shares_of(backup), MADE - timedelta(days=1))


def test_it_says_in_clear_what_it_is_and_nothing_of_its_payload() -> None:
    backup = make(made=datetime(2026, 11, 2, 19, 0, 0, 999, tzinfo=timezone(timedelta(hours=7))))
    notice = key_backup.notice_of(backup.data, MADE)
    assert notice == backup.notice
    assert (notice.made, notice.expires) == (MADE, MADE + LIFETIME)
    assert (notice.shares, notice.threshold) == (5, 3)
    assert notice.owners == ("komnas-ham", "lpsk")
    assert {share.identifier for share in shares_of(backup)} == {notice.identifier}
    assert PAYLOAD not in backup.data


def test_too_few_shares_are_refused() -> None:
    backup = make()
    for some in (shares_of(backup)[:2], []):
        with pytest.raises(RefusesToStart, match="Too few shares"):
            key_backup.opened(backup.data, some, MADE)


def test_a_quorum_of_another_backup_is_refused_also_with_the_same_identifier() -> None:
    backup = make()
    identifier = backup.notice.identifier
    other = [share_of(words) for words in split(os.urandom(32), 5, 3, (identifier + 1) % 2**15)]
    with pytest.raises(RefusesToStart, match="is of the backup"):
        key_backup.opened(backup.data, other, MADE)
    with pytest.raises(RefusesToStart, match="is of the backup"):
        key_backup.opened(backup.data, [*shares_of(backup)[:3], other[4]], MADE)
    same = [share_of(words) for words in split(os.urandom(32), 5, 3, identifier)]
    with pytest.raises(RefusesToStart, match="shares are of another one"):
        key_backup.opened(backup.data, same, MADE)


def test_every_changed_bit_and_every_cut_is_refused_even_with_the_key_at_hand() -> None:
    backup = make()
    key = combined(shares_of(backup))
    changed = [backup.data[:n] for n in range(len(backup.data))] + [backup.data + b"\x00"]
    for bit in range(8 * len(backup.data)):
        data = bytearray(backup.data)
        data[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(data))
    for data in changed:
        with pytest.raises(RefusesToStart):
            key_backup.opened_with(data, key)
    assert key_backup.opened_with(backup.data, key) == PAYLOAD


def test_a_longer_life_cannot_be_written_into_it() -> None:
    backup = make()
    longer = bytearray(backup.data)
    longer[24:32] = int((MADE + 10 * LIFETIME).timestamp()).to_bytes(8)
    now = MADE + LIFETIME
    assert key_backup.notice_of(bytes(longer), now).expires == MADE + 10 * LIFETIME
    with pytest.raises(RefusesToStart, match="was changed"):
        key_backup.opened(bytes(longer), shares_of(backup), now)


def test_no_two_backups_have_the_same_key_and_none_shows_a_share() -> None:
    first, second = make(), make()
    assert first.data[-len(PAYLOAD) - 16 :] != second.data[-len(PAYLOAD) - 16 :]
    assert not set(first.shares) & set(second.shares)
    for text in (repr(first), repr(first.notice)):
        assert not any(share.split()[5] in text for share in first.shares)
    assert repr(first) == f"<key backup {first.notice.identifier}>"


def test_something_else_is_not_a_backup() -> None:
    for data in (b"", b"perisai keys\x01\n" + bytes(100), bytes(3 << 20), make().data * 20_000):
        with pytest.raises(RefusesToStart):
            key_backup.opened(data, [], MADE)
