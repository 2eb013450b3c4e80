"""No sealed column is forgotten when data keys are exchanged."""

from api.store.columns import SealedColumn
from api.store.sealed_fields import LAYOUTS
from api.store.sealed_records import DEFENDERS, SEALED_RECORDS
from api.store.tables import METADATA


def test_every_sealed_column_belongs_to_a_record_whose_keys_can_be_exchanged() -> None:
    sealed = {
        (table.name, column.name)
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedColumn)
    }
    named = {(f.place.table, f.column) for of in SEALED_RECORDS for f in of.fields}
    named |= {
        (f.place.table, f.column) for of in SEALED_RECORDS for part in of.parts for f in part.fields
    }
    named |= {(of.chunks.name, "data") for of in SEALED_RECORDS if of.chunks is not None}

    assert named == sealed


def test_each_record_names_the_columns_of_its_own_table() -> None:
    for of in SEALED_RECORDS:
        assert {f.place.table for f in of.fields} == {of.table.name}
        for part in of.parts:
            assert {f.place.table for f in part.fields} == {part.table.name}
    assert DEFENDERS in SEALED_RECORDS


def test_a_manifest_covers_all_of_a_compartment_of_one_kind_of_record() -> None:
    """It is sealed anew as a whole; what is sealed of other kinds there never changes."""
    for compartment, layout in LAYOUTS.items():
        kinds = [of for of in SEALED_RECORDS if of.table.name == layout.table]
        assert len(kinds) == 1
        columns = {f.column for f in kinds[0].fields if f.compartment is compartment}
        assert columns == set(layout.columns)
