"""Only what the operator admitted is a trusted document, and it is taken as it was admitted."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.errors import DocumentUnknown, RefusesToStart
from api.schema.allowances import Allowances
from api.schema.http import Terms
from api.schema.trusted import NotAdmitted, TrustedDocuments, files, hash_of, store, text_at
from api.vocabulary import Role
from tests.schema.small_face import SCHEMA, SECRET, House

NUMBER = b"query Number { number }"
PAGE = b"query Page($first: Int!) { page(first: $first) }"
NIK = "3171234567890001"
NOBODY: frozenset[Role] = frozenset()


def sha256(text: bytes) -> str:
    return "sha256:" + hashlib.sha256(text).hexdigest()


@pytest.fixture
def trusted() -> TrustedDocuments:
    return TrustedDocuments(SCHEMA._schema)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Serve a face with two trusted documents, to somebody who may send no text."""
    store(tmp_path, NUMBER)
    store(tmp_path, PAGE)
    return House(
        Terms(Allowances(1000), frozenset(Role), pause=0), adhoc=NOBODY, documents=tmp_path
    )


async def asked(house: House, **members: Any) -> httpx.Response:
    accept = {"accept": "application/graphql-response+json"}
    return await house.http.post("/", json=members, headers=accept)


def code(answer: httpx.Response) -> tuple[int, str]:
    [error] = answer.json()["errors"]
    assert "data" not in answer.json()
    return answer.status_code, error["extensions"]["code"]


def left(answer: httpx.Response) -> int:
    return int(answer.headers["x-ratelimit-remaining"])


def test_an_example_of_the_draft_has_the_id_that_the_draft_gives_it() -> None:
    """GraphQL over HTTP, working draft, appendix A, "SHA256 Hex Document Identifier"."""
    text = b"query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}"

    assert hash_of(text) == "7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e"


def test_what_was_admitted_is_found_by_its_hash_and_by_nothing_else(
    trusted: TrustedDocuments,
) -> None:
    one = trusted.admit(NUMBER)

    assert (f"sha256:{one.hash}", one.name) == (sha256(NUMBER), "Number")
    assert trusted.document(sha256(NUMBER)) is one.document
    for other in (
        one.hash,
        sha256(NUMBER).upper(),
        f"SHA256:{one.hash}",
        f"sha256:{one.hash.upper()}",
        f"sha256:{one.hash} ",
        f"sha256::{one.hash}",
        f"x-own:{one.hash}",
        sha256(PAGE),
        sha256(NUMBER)[:-1],
        "sha256:",
        "Number",
        "",
    ):
        with pytest.raises(DocumentUnknown):
            trusted.document(other)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{ number }", "no name"),
        (b"query ($first: Int!) { page(first: $first) }", "no name"),
        (b"query A { number } query B { number }", "2 operations"),
        (b"fragment F on Query { number }", "F"),
        (b"", "does not parse"),
        (b"query A {", "1:10: The document does not parse"),
        (b"query A { nothing }", "1:11: Cannot query field 'nothing'"),
        (b"type A { a: Int }", "definition is not executable"),
        (b"subscription A { number }", "Cannot query field 'number' on type 'Subscription'"),
        (b"query A { __schema { description } }", "about the schema"),
        (b'query A { number ...F } fragment F on Query { __type(name: "A") { name } }', "schema"),
        (b"query A { " + b"a: number " * 16 + b"}", "over a limit"),
        (b"query A { number } #" + b"x" * 16 * 1024, "over a limit"),
        (b"query A { number } # \xff", "UTF-8"),
        (f'query A {{ page(first: "{NIK}") }}'.encode(), "does not fit the type"),
    ],
)
def test_what_does_not_fit_is_not_admitted_and_no_value_is_told(
    trusted: TrustedDocuments, text: bytes, why: str
) -> None:
    with pytest.raises(NotAdmitted) as error:
        trusted.admit(text)

    assert why in str(error.value)
    assert NIK not in str(error.value)
    with pytest.raises(DocumentUnknown):
        trusted.document(sha256(text))


def test_a_face_without_changes_admits_none() -> None:
    with pytest.raises(NotAdmitted, match="mutation operation is not supported"):
        TrustedDocuments.of("partner").admit(b"mutation A { __typename }")


def test_what_is_stored_lies_under_its_hash_and_is_stored_once(tmp_path: Path) -> None:
    folder = tmp_path / "agency"

    assert [store(folder, NUMBER), store(folder, PAGE), store(folder, NUMBER)] == [
        True,
        True,
        False,
    ]
    (folder / ".swp").write_text("of an editor")

    there = list(files(folder))
    assert {f"sha256:{path.stem}" for path in there} == {sha256(NUMBER), sha256(PAGE)}
    assert {text_at(path) for path in there} == {NUMBER, PAGE}
    assert len(list(folder.iterdir())) == 3
    assert list(files(tmp_path / "partner")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{hash_of(NUMBER)}.graphql", PAGE),
        (f"{hash_of(NUMBER)}.graphql", NUMBER + b"\n"),
        (f"{hash_of(b'{ number }')}.graphql", b"{ number }"),
        ("number.graphql", NUMBER),
        (hash_of(NUMBER), NUMBER),
        (f"{hash_of(NUMBER).upper()}.graphql", NUMBER),
        ("manifest.json", b"{}"),
    ],
)
def test_a_face_with_a_changed_or_strange_document_does_not_start(
    tmp_path: Path, name: str, text: bytes
) -> None:
    store(tmp_path, PAGE)
    (tmp_path / name).write_bytes(text)

    with pytest.raises(RefusesToStart) as error:
        House(documents=tmp_path)

    assert name in str(error.value)
    assert "number }" not in str(error.value)


def test_a_changed_document_does_not_pass_for_what_is_to_be_stored(tmp_path: Path) -> None:
    (tmp_path / f"{hash_of(NUMBER)}.graphql").write_bytes(PAGE)

    with pytest.raises(RefusesToStart, match="was changed"):
        store(tmp_path, NUMBER)


def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agency").write_text("no folder")
    with pytest.raises(RefusesToStart, match="cannot be read"):
        House(documents=tmp_path / "agency")
    (tmp_path / f"{hash_of(NUMBER)}.graphql").mkdir()
    with pytest.raises(RefusesToStart, match="cannot be read"):
        text_at(tmp_path / f"{hash_of(NUMBER)}.graphql")


async def test_a_request_names_a_document_and_gives_its_variables(house: House) -> None:
    answer = await asked(house, documentId=sha256(PAGE), variables={"first": 7})

    assert answer.json()["data"] == {"page": "ok"}
    assert left(answer) == 1000 - 1 - 7
    for members in ({"operationName": "Number", "query": None}, {"variables": None}):
        answer = await asked(house, documentId=sha256(NUMBER), **members)
        assert answer.json()["data"] == {"number": 0.5}


async def test_a_text_of_ones_own_is_refused_even_if_it_was_admitted(house: House) -> None:
    for text in (NUMBER.decode(), "{ number }", "{", "{ " + "a: number " * 16 + "}"):
        assert code(await asked(house, query=text)) == (403, "DOCUMENT_NOT_TRUSTED")

    assert house.nothing_happened()


async def test_an_unknown_document_is_refused(house: House) -> None:
    for name in (sha256(b"query A { number }"), sha256(NUMBER)[7:], "sha256:x", ""):
        assert code(await asked(house, documentId=name)) == (400, "DOCUMENT_UNKNOWN")

    assert house.nothing_happened()


async def test_neither_refusal_costs_a_parsing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.schema.documents.parse", None)

    refused = await asked(house, query=NUMBER.decode())
    unknown = await asked(house, documentId="sha256:x")

    assert (left(refused), left(unknown)) == (999, 998)
    assert (await asked(house, documentId=sha256(NUMBER))).status_code == 200


@pytest.mark.parametrize(
    "members",
    [
        {"query": "{ number }", "documentId": sha256(NUMBER)},
        {"query": "", "documentId": sha256(NUMBER)},
        {"documentId": 1},
        {"documentId": [sha256(NUMBER)]},
        {"documentId": None},
        {"query": None, "documentId": None},
        {"documentId": sha256(NUMBER), "variables": []},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(NUMBER)[7:]}}},
    ],
)
async def test_a_request_has_a_text_or_names_a_document(
    house: House, members: dict[str, Any]
) -> None:
    assert code(await asked(house, **members)) == (400, "BAD_REQUEST")
    assert house.nothing_happened()


async def test_who_may_send_texts_may_name_documents_too(tmp_path: Path) -> None:
    store(tmp_path, NUMBER)
    house = House(documents=tmp_path)

    answers = [
        await asked(house, **one)
        for one in ({"query": "{ number }"}, {"documentId": sha256(NUMBER)})
    ]

    assert [answer.json()["data"] for answer in answers] == [{"number": 0.5}] * 2


async def test_both_refusals_are_held_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    house = House(Terms(pause=7), adhoc=NOBODY, documents=tmp_path)
    monkeypatch.setattr("api.schema.http.asyncio.sleep", sleep)
    for members in ({"query": "{ number }"}, {"documentId": "sha256:x"}):
        await asked(house, **members)

    # The second is checked a little later, too.
    assert pauses == [7, 0.7, 14]


async def test_trusted_documents_are_not_forgotten_for_others(tmp_path: Path) -> None:
    store(tmp_path, NUMBER)
    house = House(Terms(pause=0), documents=tmp_path)
    before = house.face.trusted.document(sha256(NUMBER))
    for number in range(200):
        await asked(house, query=f"query A{number} {{ number }}")

    assert house.face.trusted.document(sha256(NUMBER)) is before


async def test_a_trusted_document_shows_no_more_than_a_text_would(tmp_path: Path) -> None:
    """It is a list of what may be asked, and no right to any of it."""
    store(tmp_path, b"query Who { person { name } }")
    house = House(adhoc=NOBODY, documents=tmp_path)

    answer = await asked(house, documentId=sha256(b"query Who { person { name } }"))

    assert answer.json()["data"] == {"person": {"name": SECRET}}
    assert house.contexts == 1


def test_nobody_may_send_a_text_where_nothing_is_said() -> None:
    assert Terms().adhoc == NOBODY
