"""A file's name goes through headers unharmed, and cannot end one."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import AttachmentMalformed
from api.schema.file_names import disposition, read_name

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(names)
def test_a_name_is_read_as_it_was_encoded(name: str) -> None:
    assert read_name("UTF-8''" + quote(name, safe="")) == name


@given(names)
def test_a_name_is_written_so_that_it_cannot_end_its_header(name: str) -> None:
    header = disposition(name)

    found = re.fullmatch(
        r"attachment; filename=\"([A-Za-z0-9 ._-]*)\"; filename\*=(UTF-8''[\x21-\x7e]+)", header
    )
    assert found is not None
    assert ";" not in found[2]
    assert read_name(found[2]) == name


@pytest.mark.parametrize(
    "header",
    [
        "",
        "a.pdf",
        "UTF-8''",
        "UTF-8'id'a",
        "ISO-8859-1''a",
        "UTF-8''a b",
        "UTF-8''%",
        "UTF-8''%f",
        "UTF-8''%ff",
        "UTF-8''%ed%a0%80",
        "UTF-8''é",
        "UTF-8''\"a\"",
        "UTF-8''a\n",
        "x UTF-8''a",
    ],
)
def test_a_header_of_another_form_is_refused(header: str) -> None:
    with pytest.raises(AttachmentMalformed):
        read_name(header)
