"""What a manifest covers is shown only as far as the newest manifest proves it."""

from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from api.casework.asked import Cell, steps_of
from api.casework.disclosure import fill, open_one
from api.casework.key_opening import OpenKeys
from api.casework.views import DefenderView
from api.crypto.data_keys import DataKey
from api.crypto.manifest import mark_of, open_manifest, seal_manifest
from api.crypto.sealed import Sealed
from api.crypto.sealing import seal
from api.errors import SealBroken
from api.policies.gate import Allowed
from api.store.sealed_fields import DEFENDER_FIELDS, LAYOUTS
from api.vocabulary import Compartment, Ground, Reason

NAME = "Bunga Maharani"
FIELD = DEFENDER_FIELDS["fullName"]
LAYOUT = LAYOUTS[Compartment.IDENTITY]
RECORD = uuid4()
STEPS = steps_of([Cell(0, FIELD.column, FIELD)], {Compartment.IDENTITY: Allowed(Ground.ASSIGNED)})


def key(version: int) -> DataKey:
    return DataKey(RECORD, Compartment.IDENTITY, version, bytes([version]) * 32)


def opened(newest: DataKey, shown: Sealed | None) -> OpenKeys:
    """Give the keys of a pass, whose manifest is under *newest* and covers *shown*."""
    keys = [newest, *(key(version) for version in range(1, newest.version))]
    marks = b""
    if shown is not None:
        covered = dict.fromkeys(LAYOUT.columns, bytes(16)) | {FIELD.column: mark_of(shown)}
        marks = open_manifest(newest, LAYOUT, seal_manifest(newest, LAYOUT, 1, covered))
    return OpenKeys(keys, {RECORD: {newest.compartment: (newest, marks)}})


def filled(keys: OpenKeys, value: Sealed) -> tuple[str | None, list[Reason], int]:
    """Give the name that is shown, why it is not, and how many faults were reported."""
    view = DefenderView(RECORD, 1)
    with capture_logs() as lines:
        fill(view, keys, STEPS, RECORD, (value,))
    return view.full_name, [w.reason for w in view.withheld], len(lines)


def test_what_the_manifest_proves_is_shown() -> None:
    value = seal(key(2), FIELD.place, RECORD, NAME)

    assert filled(opened(key(2), value), value) == (NAME, [], 0)


BROKEN = (None, [Reason.SEAL_BROKEN], 1)


def test_what_was_sealed_under_an_older_key_is_withheld_though_the_manifest_names_it() -> None:
    value = seal(key(1), FIELD.place, RECORD, NAME)

    assert filled(opened(key(2), value), value) == BROKEN


def test_what_the_manifest_does_not_name_is_withheld_though_it_opens() -> None:
    value, other = (seal(key(1), FIELD.place, RECORD, NAME) for _ in range(2))

    assert filled(opened(key(1), other), value) == BROKEN


def test_where_no_manifest_or_no_key_is_there_all_is_withheld() -> None:
    value = seal(key(1), FIELD.place, RECORD, NAME)

    assert filled(opened(key(1), None), value) == BROKEN
    assert filled(OpenKeys([], {}), value) == BROKEN
    assert filled(OpenKeys([], {RECORD: {}}), value) == BROKEN


def test_what_a_manifest_covers_is_not_opened_past_it() -> None:
    value = seal(key(1), FIELD.place, RECORD, NAME)

    with capture_logs(), pytest.raises(SealBroken):
        open_one(opened(key(1), value), FIELD, RECORD, RECORD, value)


def test_proven_marks_are_listed_and_nothing_else() -> None:
    value = seal(key(1), FIELD.place, RECORD, NAME)

    assert list(opened(key(1), value).marks) == [(RECORD, Compartment.IDENTITY)]
    assert opened(key(1), None).marks == {}
