"""The search for leaks would find one: in every form, at every place, in a file of any kind."""

import base64
import json
import os
import time
from collections.abc import Callable

import pytest

from tests.scenarios.leaks import database_files, every_cell, forms, found_in
from tests.world import World

#: No record of the demo has it: it is planted into databases that others share.
TEXT = "Ngabdulhamid Tersembunyi Soemarto"
ACCENTED = "Né é Ü Joesoef Ñuñez"

PRINTED: dict[str, Callable[[str], bytes]] = {
    "in clear": str.encode,
    "as JSON": lambda text: json.dumps({"x": text}).encode(),
    "as JSON, each character escaped": lambda text: "".join(
        f"\\u{ord(one):04x}" for one in text
    ).encode(),
    "as Python prints text": lambda text: repr([text]).encode(),
    "as Python prints texts bytes": lambda text: repr(text.encode()).encode(),
    "as ASCII": lambda text: ascii(text).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex().encode(),
    "UTF-16, little end first": lambda text: text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be"),
    "octal escapes": lambda text: "".join(f"\\{b:03o}" for b in text.encode()).encode(),
    "backwards": lambda text: text[::-1].encode(),
}


@pytest.mark.parametrize("text", [TEXT, ACCENTED, "3273995708910077", "+628129876540"])
@pytest.mark.parametrize("printed", PRINTED)
def test_a_value_is_found_however_it_is_printed(printed: str, text: str) -> None:
    leaked = PRINTED[printed](text)
    noise = os.urandom(3_000)
    for heap in (leaked, noise + leaked + noise, b"x" + leaked + b"y", b"\x00" + leaked + b"\x00"):
        assert found_in(heap, [text, "somebody else"]) == {text}
    assert found_in(noise + leaked[: len(leaked) // 3], [text]) == set()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_value_is_found_in_base64_whatever_stands_before_and_behind(
    encode: Callable[[bytes], bytes], encoding: str
) -> None:
    for text in (TEXT, ACCENTED, "3273995708910077", "Jl. ???>>>~~~"):
        for before in range(7):
            for behind in range(4):
                leaked = encode(os.urandom(before) + text.encode(encoding) + os.urandom(behind))
                assert found_in(b'{"x":"' + leaked + b'"}', [text]) == {text}


def test_what_is_not_there_is_not_found_and_the_search_is_fast() -> None:
    heap = os.urandom(4 << 20) + json.dumps([f"word {n}" for n in range(20_000)]).encode()
    texts = [f"Orang Rahasia Nomor {n}" for n in range(400)]
    start = time.monotonic()
    assert found_in(heap, texts) == set()
    assert time.monotonic() - start < 20  # 0.5 s on an idle core
    assert all(len(forms(text)) > 30 for text in texts)


async def test_a_planted_value_is_found_in_the_databases_and_in_their_files(world: World) -> None:
    assert found_in(every_cell(world), [TEXT]) == set()
    assert found_in(database_files(world), [TEXT]) == set()

    await world.run("update organisation set name = ? where slug = 'lpsk'", [TEXT])

    assert found_in(every_cell(world), [TEXT]) == {TEXT}
    assert found_in(database_files(world), [TEXT]) == {TEXT}


async def test_a_value_that_was_written_and_deleted_is_found_where_files_remember_it(
    world: World,
) -> None:
    """Before the file is written anew the old page or the journal still has it."""
    await world.run("update organisation set name = ? where slug = 'lpsk'", [TEXT])
    await world.run("update organisation set name = 'LPSK' where slug = 'lpsk'")

    assert found_in(every_cell(world), [TEXT]) == (set() if world.database else {TEXT})
    assert found_in(database_files(world), [TEXT]) == {TEXT}
