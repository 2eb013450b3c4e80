"""The client is what the generator writes, the page shows what is asked, and nothing leaks."""

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import httpx
import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from perisai_client.agency import (
    CaseFile,
    Client,
    DefenderInput,
    OpenCaseFileInput,
    Urgency,
)
from perisai_client.agency.connection import Refused
from pydantic import ValidationError

from api.schema.snapshot import sdl

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DOCUMENTS = sorted((EXAMPLES / "documents").glob("*/*.graphql"))
PAGE = (ROOT / "docs/clients/requests.md").read_text(encoding="utf-8")
NAME = "Mochammad Joesoef Hidayat"


def quoted(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_client_is_what_the_generator_writes(tmp_path: Path) -> None:
    installed = Path(sys.prefix) / "client"
    assert installed.is_dir(), "make client installs the generator"
    subprocess.run(
        [sys.executable, EXAMPLES / "python" / "generate.py", tmp_path],
        check=True,
        timeout=60,
        env={"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    checked_in = EXAMPLES / "python" / "perisai_client"

    def texts(folder: Path) -> dict[str, bytes]:
        return {str(f.relative_to(folder)): f.read_bytes() for f in folder.glob("*/*.py")}

    assert texts(tmp_path) == texts(checked_in), "run `make client`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_is_one_named_operation_that_fits_its_face(document: Path) -> None:
    parsed = parse(document.read_text(encoding="utf-8"))

    [operation] = parsed.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    assert re.sub("(?<!^)([A-Z])", r"_\1", operation.name.value).lower() == document.stem
    assert validate(build_schema(sdl(document.parent.name)), parsed) == []


def test_the_page_shows_every_document_as_it_is() -> None:
    files = [document.read_text(encoding="utf-8") for document in DOCUMENTS]

    assert sorted(quoted("graphql")) == sorted(files)


def test_the_page_shows_lines_that_a_test_runs() -> None:
    run = (Path(__file__).parent / "ten_requests.py").read_text(encoding="utf-8")
    bodies = [dedent(body) for body in re.findall(r"(?:\n(?:    .*)?)+", run)]

    assert len(quoted("python")) == len(re.findall(r"^## \d+\. ", PAGE, re.MULTILINE)) == 10
    assert [q for q in quoted("python") if not any(q in body for body in bodies)] == []


def answering(status: int, body: str) -> tuple[Client, list[httpx.Request]]:
    """Give a client of a service that answers this, and what it is asked."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, text=body, headers={"x-request-id": "r1"})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Client("https://perisai.example/graphql/agency", lambda: "t0k", "intake", http), asked


async def test_a_request_has_its_headers_and_only_what_was_set() -> None:
    client, asked = answering(
        200, '{"data": {"openCaseFile": {"caseFileId": null, "caseFile": null, "errors": []}}}'
    )

    await client.open_case_file(
        OpenCaseFileInput(
            urgency=Urgency.SOON, sensitivity=1, province="33", defenders=[DefenderInput(nik="1")]
        )
    )

    [request] = asked
    assert request.headers["authorization"] == "Bearer t0k"
    assert request.headers["perisai-purpose"] == "intake"
    assert request.headers["accept"] == "application/graphql-response+json"
    sent = json.loads(request.content)
    assert sent["operationName"] == "OpenCaseFile"
    assert sent["variables"]["input"] == {
        "urgency": "SOON",
        "sensitivity": 1,
        "province": "33",
        "defenders": [{"nik": "1"}],
    }


@pytest.mark.parametrize(
    ("status", "body", "codes"),
    [
        (200, '{"data": {"viewer": null}, "errors": [{"extensions": {"code": "A"}}]}', ("A",)),
        (401, '{"errors": [{"message": "m", "extensions": {"code": "B"}}]}', ("B",)),
        (502, "<html>no gateway</html>", ()),
        (200, "[]", ()),
        (200, "{}", ()),
    ],
)
async def test_what_is_no_answer_is_raised(status: int, body: str, codes: tuple[str, ...]) -> None:
    client, _ = answering(status, body)

    with pytest.raises(Refused) as refused:
        await client.viewer()

    assert (refused.value.codes, refused.value.status) == (codes, status)
    assert refused.value.request_id == "r1"


def test_neither_a_model_nor_its_errors_print_what_they_hold() -> None:
    person = DefenderInput(fullName=NAME, aliases=[NAME])
    with pytest.raises(ValidationError) as wrong:
        CaseFile.model_validate({"caseFile": {"id": 5, "reference": [NAME], "account": NAME}})

    for shown in (repr(person), str(person), f"{[person]}", str(wrong.value), repr(wrong.value)):
        assert NAME not in shown
