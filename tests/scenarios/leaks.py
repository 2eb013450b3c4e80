"""How a plaintext looks where it should not stand, and a search for thousands of them at once."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

import psycopg

from tests.postgresql import Database, PostgresServer, libpq_url
from tests.world import World

#: Shorter forms stand everywhere by chance (bytes).
SHORTEST = 6

#: Bytes of a window by which a form is recognised; one begins at every WINDOW-th byte.
WINDOW = 6

#: What one text looks like, and the text.
Form: TypeAlias = tuple[bytes, str]

#: What one text looks like, and the text.
Form: TypeAlias = tuple[bytes, str]

_PRINTABLE = bytes(range(0x20, 0x7F))
_ONLY_PRINTABLE = bytes(byte if byte in _PRINTABLE else 0x0A for byte in range(256))
_WORDS = re.compile(rb"[^\n]{%d,}" % WINDOW)


def forms(text: str) -> set[bytes]:
    """Give what *text* would look like in a file, a line, a dump or an answer."""
    found: set[bytes] = set()
    for raw in (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be")):
        found |= {raw, raw.hex().encode(), raw.hex().upper().encode(), *_base64(raw)}
        for escape in ("\\x{:02x}", "\\x{:02X}", "\\{:03o}", "%{:02x}", "%{:02X}"):
            found.add("".join(escape.format(byte) for byte in raw).encode())
    found |= {
        json.dumps(text)[1:-1].encode(),
        json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        repr(text)[1:-1].encode(),
        repr(text.encode())[2:-1].encode(),
        ascii(text)[1:-1].encode(),
        html.escape(text).encode(),
        quote(text).encode(),
        quote(text, safe="").encode(),
        text[::-1].encode(),
    }
    for escape in ("\\u{:04x}", "\\u{:04X}", "&#{};", "&#x{:x};"):
        found.add("".join(escape.format(ord(one)) for one in text).encode())
    return {form for form in found if len(form) >= SHORTEST}


def _base64(raw: bytes) -> Iterator[bytes]:
    """Give the digits that *raw* alone decides, whatever stands before and behind it."""
    for before in range(3):
        digits = base64.b64encode(bytes(before) + raw).rstrip(b"=")
        cut = digits[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        yield cut
        yield cut.replace(b"+", b"-").replace(b"/", b"_")


def found_in(heap: bytes, texts: Iterable[str]) -> set[str]:
    """Give those of *texts* that stand in *heap* in any form.

    Most of a database is sealed bytes. Of what can be printed (without zeros, so that
    UTF-16 reads like the rest) every sixth window is looked up among those of all forms,
    so a form of at least two windows cannot be passed over; what may be there is sought.
    """
    known, short = _recognised(frozenset(texts))
    words = b"\n".join(_words(heap))
    there = {words[at : at + WINDOW] for at in range(0, len(words) - WINDOW + 1, WINDOW)}
    possible = [one for window in there & known.keys() for one in known[window]]
    possible += [one for run, one in short if run in words]
    return {text for form, text in set(possible) if form in heap}


def _words(raw: bytes) -> list[bytes]:
    return _WORDS.findall(raw.replace(b"\x00", b"").translate(_ONLY_PRINTABLE))


@lru_cache(maxsize=4)
def _recognised(
    texts: frozenset[str],
) -> tuple[dict[bytes, list[Form]], list[tuple[bytes, Form]]]:
    """Give window -> the forms that have it; and those too short for that, by what they print."""
    known: dict[bytes, list[Form]] = {}
    short = []
    for text in texts:
        for form in forms(text):
            longest = max(_words(form), key=len, default=b"")
            if len(longest) < 2 * WINDOW:
                short.append((longest, (form, text)))
                continue
            for start in range(WINDOW):
                known.setdefault(longest[start : start + WINDOW], []).append((form, text))
    return known, short


def files_below(*folders: Path) -> bytes:
    """Give all files below *folders*, as a thief of the disk would read them."""
    found = [p for f in folders for p in sorted(f.rglob("*")) if p.is_file()]
    return b"\x00".join(_bytes_of(p) for p in found)


def _bytes_of(path: Path) -> bytes:
    """Read a file; a server that runs takes some of its own away, of which nothing is left."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def database_files(world: World) -> bytes:
    """Give the files of the databases, with what the server wrote beside them and its log."""
    if world.database is None or world.server is None:
        return b"\x00".join(p.read_bytes() for p in sorted(world.folder.glob("*.sqlite*")))
    return server_files(world.server, world.database)


def server_files(server: PostgresServer, database: Database) -> bytes:
    """Give the files of one database of *server*, the journal it writes now, and its log."""
    with psycopg.connect(libpq_url(database.superuser_url), autocommit=True) as connection:
        row = connection.execute(
            "select oid, pg_walfile_name(pg_current_wal_lsn()) from pg_database"
            " where datname = current_database()"
        ).fetchone()
        connection.execute("checkpoint")
    assert row is not None
    oid, segment = row
    written = [server.home / "data" / "pg_wal" / segment, server.home / "log"]
    return b"\x00".join(
        [files_below(server.home / "data" / "base" / str(oid)), *(p.read_bytes() for p in written)]
    )


def every_cell(world: World) -> bytes:
    """Give every cell of every table; of binary ones also their hex, as dumps print them."""
    if world.database is None:
        return database_files(world)
    dump: list[bytes] = []
    with psycopg.connect(libpq_url(world.database.superuser_url)) as connection:
        tables = connection.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 15
        for (table,) in tables:
            for row in connection.execute(f"select * from {table}").fetchall():
                for cell in row:
                    raw = cell if isinstance(cell, bytes) else str(cell).encode()
                    dump += [raw, raw.hex().encode() if isinstance(cell, bytes) else b""]
    return b"\x00".join(dump)
