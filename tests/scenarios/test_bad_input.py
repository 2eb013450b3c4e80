"""Bad input, one table: its status, its stable code, exactly its events, and never data."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jws
from joserfc.jwk import ECKey

from api.casework.provisioning import disable_member
from api.casework.sign_in import REFUSALS_A_MINUTE
from api.demo.install import AUDIENCE
from api.demo.issuer import DemoIssuer
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI
from api.vocabulary import Action, Decision
from tests.conftest import NOON
from tests.inside import exchanged
from tests.scenarios.asking import NOBODY, case_file, counted
from tests.world import Answer, Clock, Template, World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

READ = "query ($id: ID!) { caseFile(id: $id) { reference defenders { fullName } } }"
LIST = """query ($first: Int!, $after: String) { caseFiles(first: $first, after: $after) {
  edges { node { reference } } } }"""
FIND = """query ($by: SearchBy!, $value: String!) {
  findDefenders(by: $by, value: $value, first: 20) { score } }"""
NOTE = """mutation ($id: ID!, $body: String!) {
  addNote(input: {caseFileId: $id, body: $body}) { noteId errors { code } } }"""

#: A value that may be somebody's: no answer repeats it.
SECRET = "3374155208900003"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Give one world for the whole table: nothing in it may change anything."""
    folder = tmp_path_factory.mktemp("bad_input") / "perisai"
    async with opened(template, folder, Clock(NOON)) as world:
        async with exchanged(world) as inside:
            assert await disable_member(inside.house, "komnas-ham", "maria")
        yield world


@dataclass
class Request:
    """A good request of Sari's, to be spoilt."""

    world: World
    face: str = "agency"
    method: str = "POST"
    token: str | None = ""
    query: str = READ
    variables: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: {"perisai-purpose": "protection"})
    body: str | bytes | None = None
    operation: str | None = None

    def __post_init__(self) -> None:
        self.variables = {"id": str(self.world.records.open_to_sari)}

    async def send(self) -> Answer:
        headers = {
            "content-type": "application/json",
            "accept": "application/graphql-response+json",
            **self.headers,
        }
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token or self.world.token(SARI)}"
        body = {"query": self.query, "variables": self.variables, "operationName": self.operation}
        answer = await self.world.client.request(
            self.method,
            f"/graphql/{self.face}",
            headers=headers,
            content=json.dumps(body) if self.body is None else self.body,
        )
        return Answer(answer.status_code, answer.headers, answer.text)


Spoil = Callable[[Request], None]


def given(**changes: Any) -> Spoil:
    """Spoil a request by setting its attributes."""

    def spoil(request: Request) -> None:
        for name, value in changes.items():
            setattr(request, name, value)

    return spoil


def variables(**changes: Any) -> Spoil:
    """Spoil a request by its variables; without others it reads one case file."""
    return lambda request: request.variables.update(changes)


def asking(query: str, **of: Any) -> Spoil:
    return given(query=query, variables=of)


def headers(**changes: str | None) -> Spoil:
    def spoil(request: Request) -> None:
        for name, value in changes.items():
            request.headers.pop(name.replace("_", "-"), None)
            if value is not None:
                request.headers[name.replace("_", "-")] = value

    return spoil


def member(
    organisation: str, subject: str, *, face: str = "agency", audience: str = AUDIENCE, **of: Any
) -> Spoil:
    """Spoil a request by a token that an issuer did sign."""

    def spoil(request: Request) -> None:
        folder = request.world.folder / "issuers"
        issuer = DemoIssuer(folder, demo=True, audience=audience, clock=request.world.clock)
        request.token = issuer.mint(organisation, subject, **of)
        request.face = face

    return spoil


def forged(
    header: Mapping[str, Any] | None = None, *, key_of: str = "komnas-ham", **claims: Any
) -> Spoil:
    """Spoil a request by a token like the issuer's, of another header, claim or key."""

    def spoil(request: Request) -> None:
        world = request.world
        key = key_of_issuer(world, key_of)
        now = int(world.clock().timestamp())
        own = key_of_issuer(world, "komnas-ham")
        full = {"alg": "ES256", "typ": "at+jwt", "kid": own.kid, **(header or {})}
        said = {
            "iss": DemoIssuer.url("komnas-ham"),
            "aud": AUDIENCE,
            "sub": SARI,
            "client_id": "perisai-demo",
            "iat": now,
            "exp": now + 600,
            "jti": "forged",
            **claims,
        }
        body = json.dumps({k: v for k, v in said.items() if v is not ...}).encode()
        if full["alg"] == "none":
            request.token = f"{encoded(json.dumps(full).encode())}.{encoded(body)}."
        else:
            request.token = jws.serialize_compact(full, body, key)

    return spoil


def key_of_issuer(world: World, organisation: str) -> ECKey:
    file = world.folder / "issuers" / f"{organisation}.key.json"
    return ECKey.import_key(json.loads(file.read_text()))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cut(request: Request) -> None:
    request.token = request.world.token(SARI).rpartition(".")[0] + "."


def changed(request: Request) -> None:
    head, body, signature = request.world.token(SARI).split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    request.token = f"{head}.{encoded(json.dumps({**said, 'sub': BUDI}).encode())}.{signature}"


def foreign(request: Request) -> None:
    request.variables["id"] = str(case_file(request.world, "LP-2025-0006").id)


DEEP = "{ viewer " + "{ viewer " * 11 + "{ role } " + "} " * 12

SIGN_IN = [(Action.SIGN_IN, "NOT_SIGNED_IN")]
EXPIRED = [(Action.SIGN_IN, "TOKEN_EXPIRED")]
NOT_HERE = [(Action.SIGN_IN, "NOT_FOR_THIS_FACE")]
NO_EVENT: list[tuple[Action, str]] = []

#: What is bad -> how a request is spoilt, status, code, events.
TABLE: dict[str, tuple[Spoil, int, str, list[tuple[Action, str]]]] = {
    # Who asks.
    "no token": (given(token=None), 401, "NOT_SIGNED_IN", SIGN_IN),
    "a token of no form": (given(token="x"), 401, "NOT_SIGNED_IN", SIGN_IN),
    "another scheme": (
        given(token=None, headers={"authorization": "Basic c2FyaTpzYXJp"}),
        401,
        "NOT_SIGNED_IN",
        SIGN_IN,
    ),
    "a huge token": (given(token="x" * 9000), 401, "NOT_SIGNED_IN", SIGN_IN),
    "an expired token": (
        member("komnas-ham", SARI, lifetime=timedelta(seconds=-31)),
        401,
        "TOKEN_EXPIRED",
        EXPIRED,
    ),
    "an unsigned token": (forged({"alg": "none"}), 401, "NOT_SIGNED_IN", SIGN_IN),
    "a token without its signature": (cut, 401, "NOT_SIGNED_IN", SIGN_IN),
    "a token that was changed": (changed, 401, "NOT_SIGNED_IN", SIGN_IN),
    "a token of another key": (forged(key_of="lpsk"), 401, "NOT_SIGNED_IN", SIGN_IN),
    "a token that brings its key": (
        forged({"jwk": {"kty": "oct", "k": "eA"}}),
        401,
        "NOT_SIGNED_IN",
        SIGN_IN,
    ),
    "a token of an unknown key": (forged({"kid": "other"}), 401, "NOT_SIGNED_IN", SIGN_IN),
    "an identity token": (forged({"typ": "JWT"}), 401, "NOT_SIGNED_IN", SIGN_IN),
    "an unknown issuer": (
        forged(iss="https://issuer.example.org"),
        401,
        "NOT_SIGNED_IN",
        SIGN_IN,
    ),
    "another agency's issuer": (
        forged(iss=DemoIssuer.url("lpsk")),
        401,
        "NOT_SIGNED_IN",
        SIGN_IN,
    ),
    "no subject": (forged(sub=...), 401, "NOT_SIGNED_IN", SIGN_IN),
    "no end": (forged(exp=...), 401, "NOT_SIGNED_IN", SIGN_IN),
    "a token of tomorrow": (
        forged(iat=int(NOON.timestamp()) + 10**8, exp=int(NOON.timestamp()) + 10**9),
        401,
        "NOT_SIGNED_IN",
        SIGN_IN,
    ),
    "the wrong audience": (
        member("komnas-ham", SARI, audience="another-service"),
        401,
        "NOT_SIGNED_IN",
        SIGN_IN,
    ),
    "an unknown member": (member("komnas-ham", "nobody"), 403, "NOT_FOR_THIS_FACE", NOT_HERE),
    "a member of another organisation": (member("lpsk", SARI), 403, "NOT_FOR_THIS_FACE", NOT_HERE),
    "a disabled member": (member("komnas-ham", "maria"), 403, "NOT_FOR_THIS_FACE", NOT_HERE),
    "an officer at the agencies' face": (
        member("komnas-ham", TUTI),
        403,
        "NOT_FOR_THIS_FACE",
        NOT_HERE,
    ),
    "an operator at the agencies' face": (
        member("komnas-ham", "eko"),
        403,
        "NOT_FOR_THIS_FACE",
        NOT_HERE,
    ),
    "an operator at the officers' face": (
        member("komnas-ham", "eko", face="oversight"),
        403,
        "NOT_FOR_THIS_FACE",
        NOT_HERE,
    ),
    "a partner at the agencies' face": (
        member("lbh-nusantara", RATNA),
        403,
        "NOT_FOR_THIS_FACE",
        NOT_HERE,
    ),
    "a caseworker at the partners' face": (
        member("komnas-ham", SARI, face="partner"),
        403,
        "NOT_FOR_THIS_FACE",
        NOT_HERE,
    ),
    "a supervisor at the officers' face": (
        member("komnas-ham", BUDI, face="oversight"),
        403,
        "NOT_FOR_THIS_FACE",
        NOT_HERE,
    ),
    # What for.
    "an unknown purpose": (headers(perisai_purpose="curiosity"), 400, "PURPOSE_UNKNOWN", NO_EVENT),
    "an empty purpose": (headers(perisai_purpose=""), 400, "PURPOSE_UNKNOWN", NO_EVENT),
    "a purpose in capitals": (
        headers(perisai_purpose="PROTECTION"),
        400,
        "PURPOSE_UNKNOWN",
        NO_EVENT,
    ),
    "an unknown basis": (
        headers(perisai_legal_basis="legitimate_interest"),
        400,
        "PURPOSE_UNKNOWN",
        NO_EVENT,
    ),
    "an unknown basis without a purpose": (
        headers(perisai_purpose=None, perisai_legal_basis="x"),
        400,
        "PURPOSE_UNKNOWN",
        NO_EVENT,
    ),
    "no purpose": (headers(perisai_purpose=None), 200, "PURPOSE_MISSING", NO_EVENT),
    "a basis and no purpose": (
        headers(perisai_purpose=None, perisai_legal_basis="consent"),
        200,
        "PURPOSE_MISSING",
        NO_EVENT,
    ),
    # The request.
    "GET": (given(method="GET"), 405, "METHOD_NOT_ALLOWED", NO_EVENT),
    "PUT": (given(method="PUT"), 405, "METHOD_NOT_ALLOWED", NO_EVENT),
    "OPTIONS without a token": (
        given(method="OPTIONS", token=None),
        405,
        "METHOD_NOT_ALLOWED",
        NO_EVENT,
    ),
    "no content type": (headers(content_type=""), 415, "BAD_REQUEST", NO_EVENT),
    "a form": (
        headers(content_type="application/x-www-form-urlencoded"),
        415,
        "BAD_REQUEST",
        NO_EVENT,
    ),
    "an upload": (headers(content_type="multipart/form-data"), 415, "BAD_REQUEST", NO_EVENT),
    "an empty body": (given(body=""), 400, "BAD_REQUEST", NO_EVENT),
    "no JSON": (given(body=f"nik={SECRET}"), 400, "BAD_REQUEST", NO_EVENT),
    "half of a JSON": (given(body='{"query": "{ viewer'), 400, "BAD_REQUEST", NO_EVENT),
    "no UTF-8": (given(body=b'{"query": "\xff"}'), 400, "BAD_REQUEST", NO_EVENT),
    "half of a surrogate pair": (given(body='{"query": "\\ud800"}'), 400, "BAD_REQUEST", NO_EVENT),
    "NaN": (
        given(body='{"query": "{ viewer { role } }", "variables": {"x": NaN}}'),
        400,
        "BAD_REQUEST",
        NO_EVENT,
    ),
    "a list": (given(body='[{"query": "{ viewer { role } }"}]'), 400, "BAD_REQUEST", NO_EVENT),
    "a text": (given(body='"{ viewer { role } }"'), 400, "BAD_REQUEST", NO_EVENT),
    "no query": (given(body='{"variables": {}}'), 400, "BAD_REQUEST", NO_EVENT),
    "a query that is none": (given(body='{"query": 1}'), 400, "BAD_REQUEST", NO_EVENT),
    "variables in a list": (given(variables=[SECRET]), 400, "BAD_REQUEST", NO_EVENT),
    "an operation that is a number": (given(operation=1), 400, "BAD_REQUEST", NO_EVENT),
    "brackets without end": (given(body="[" * 60_000), 400, "BAD_REQUEST", NO_EVENT),
    "a body over the limit": (given(body=" " * (64 * 1024 + 1)), 413, "BODY_TOO_LARGE", NO_EVENT),
    # The document.
    "an empty document": (given(query=""), 400, "DOCUMENT_INVALID", NO_EVENT),
    "a document that does not parse": (
        given(query="{ viewer {"),
        400,
        "DOCUMENT_INVALID",
        NO_EVENT,
    ),
    "an unknown field": (
        asking('{ caseFile(id: "x") { fullname } }'),
        400,
        "DOCUMENT_INVALID",
        NO_EVENT,
    ),
    "an unknown root field": (
        asking(f'{{ citizen(nik: "{SECRET}") {{ name }} }}'),
        400,
        "DOCUMENT_INVALID",
        NO_EVENT,
    ),
    "an unknown argument": (
        asking(f'{{ caseFile(nik: "{SECRET}") {{ id }} }}'),
        400,
        "DOCUMENT_INVALID",
        NO_EVENT,
    ),
    "a missing argument": (asking("{ caseFile { id } }"), 400, "DOCUMENT_INVALID", NO_EVENT),
    "a value that does not fit": (
        asking(f'{{ caseFiles(first: "{SECRET}") {{ pageInfo {{ hasNextPage }} }} }}'),
        400,
        "DOCUMENT_INVALID",
        NO_EVENT,
    ),
    "a word that is not in the list": (
        asking(FIND, by="FAMILY", value=SECRET),
        400,
        "DOCUMENT_INVALID",
        NO_EVENT,
    ),
    "a variable that does not fit": (
        asking(LIST, first=SECRET),
        400,
        "DOCUMENT_INVALID",
        NO_EVENT,
    ),
    "a variable that is missing": (asking(READ), 400, "DOCUMENT_INVALID", NO_EVENT),
    "a subscription": (asking("subscription { x }"), 400, "DOCUMENT_INVALID", NO_EVENT),
    "an operation that is not there": (given(operation="Other"), 400, "DOCUMENT_INVALID", NO_EVENT),
    "a document that is too deep": (asking(DEEP), 400, "DOCUMENT_REFUSED", NO_EVENT),
    "a document of too many aliases": (
        asking("{ " + " ".join(f"a{n}: viewer {{ role }}" for n in range(16)) + " }"),
        400,
        "DOCUMENT_REFUSED",
        NO_EVENT,
    ),
    "a document that is too long": (
        asking("{ viewer { role } } #" + "x" * 16_384),
        400,
        "DOCUMENT_REFUSED",
        NO_EVENT,
    ),
    # Its values.
    "a malformed id": (variables(id="1"), 200, "MALFORMED_ID", NO_EVENT),
    "an empty id": (variables(id=""), 200, "MALFORMED_ID", NO_EVENT),
    "an id in capitals": (variables(id=NOBODY.upper()), 200, "MALFORMED_ID", NO_EVENT),
    "an id in braces": (variables(id=f"{{{NOBODY}}}"), 200, "MALFORMED_ID", NO_EVENT),
    "an id without hyphens": (
        variables(id=NOBODY.replace("-", "")),
        200,
        "MALFORMED_ID",
        NO_EVENT,
    ),
    "an id with a NUL": (variables(id=f"{NOBODY}\x00"), 200, "MALFORMED_ID", NO_EVENT),
    "a NIK for an id": (variables(id=SECRET), 200, "MALFORMED_ID", NO_EVENT),
    "a malformed id in a change": (
        asking(NOTE, id="1", body=SECRET),
        200,
        "MALFORMED_ID",
        NO_EVENT,
    ),
    "an id that nobody has": (
        variables(id=NOBODY),
        200,
        "NOT_FOUND",
        [(Action.READ, "NOT_FOUND")],
    ),
    "a foreign id": (foreign, 200, "NOT_FOUND", [(Action.READ, "NOT_FOUND")]),
    "an invalid NIK": (asking(FIND, by="NIK", value=f"{SECRET}9"), 200, "NIK_INVALID", NO_EVENT),
    "an invalid phone": (
        asking(FIND, by="PHONE", value=f"+{SECRET}9"),
        200,
        "PHONE_INVALID",
        NO_EVENT,
    ),
    "a name that is too short": (
        asking(FIND, by="NAME", value="x"),
        200,
        "VALUE_INVALID",
        NO_EVENT,
    ),
    "a bad cursor": (asking(LIST, first=1, after=SECRET), 200, "MALFORMED_CURSOR", NO_EVENT),
    "a page of none": (asking(LIST, first=0), 200, "PAGE_SIZE_INVALID", NO_EVENT),
    "a page that is too large": (asking(LIST, first=101), 200, "PAGE_SIZE_INVALID", NO_EVENT),
}


@pytest.mark.parametrize("bad", TABLE)
async def test_bad_input_gets_its_code_leaves_its_events_and_opens_nothing(
    shared: World, bad: str
) -> None:
    spoil, status, code, expected = TABLE[bad]
    request = Request(shared)
    spoil(request)
    shared.clock.move(timedelta(minutes=1))  # A new minute, so that no refusal is dropped.
    before = await shared.size()

    answer = await request.send()

    assert (answer.status, set(answer.codes)) == (status, {code}), answer.text
    data = answer.body.get("data")
    assert data is None or set(data.values()) == {None}
    assert ("data" in answer.body) is (status == 200)
    for error in answer.body["errors"]:
        assert error["message"].endswith(".")
        assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert SECRET not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert (answer.headers.get("allow") == "POST") is (status == 405)
    events = await shared.events(before)
    assert [(e.action, e.code) for e in events] == expected
    for event in events:
        assert event.decision in (Decision.REFUSED, Decision.WITHHELD)
        assert event.request == answer.headers["x-request-id"]
        assert (event.organisation, event.actor, event.role) == proven(request, code)
        assert not [t for t in event.touched if t.fields or t.compartments]


def proven(request: Request, code: str) -> tuple[object, object, object]:
    """Say whom the event of a refusal names: as much as the token proved, and no more."""
    if code in ("NOT_SIGNED_IN", "TOKEN_EXPIRED"):
        return None, None, None
    token = request.token or request.world.token(SARI)
    said = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    organisation = said["iss"].rpartition("/")[2]
    for one in request.world.records.members:
        if (one.organisation, one.subject) == (organisation, said["sub"]):
            return organisation, one.id, one.role
    return organisation, None, None


async def test_the_good_request_that_is_spoilt_is_good(shared: World) -> None:
    answer = await Request(shared).send()
    assert answer.data["caseFile"]["defenders"] == [{"fullName": "Mochammad Joesoef Hidayat"}]


async def test_the_token_that_is_forged_is_good_with_the_right_key(shared: World) -> None:
    request = Request(shared)
    forged()(request)
    assert (await request.send()).codes == []


async def test_a_token_within_the_leeway_still_holds(shared: World) -> None:
    request = Request(shared)
    member("komnas-ham", SARI, lifetime=timedelta(seconds=-29))(request)
    assert (await request.send()).codes == []


async def test_a_body_that_hides_its_length_is_cut_off_all_the_same(shared: World) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 1024

    before = await shared.size()
    answer = await shared.client.post(
        "/graphql/agency",
        headers={
            "content-type": "application/json",
            "authorization": f"Bearer {shared.token(SARI)}",
        },
        content=endless(),
    )

    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE"
    assert await shared.size() == before


async def test_a_flood_of_bad_tokens_does_not_fill_the_log(shared: World) -> None:
    shared.clock.move(timedelta(minutes=1))
    before, there = await shared.size(), await counted(shared, "member")

    for _ in range(REFUSALS_A_MINUTE + 15):
        answer = await shared.ask(SARI, READ, token="not.a.token")
        assert (answer.status, answer.codes) == (401, ["NOT_SIGNED_IN"])

    assert await shared.size() == before + REFUSALS_A_MINUTE
    shared.clock.move(timedelta(minutes=1))
    await shared.ask(SARI, READ, token="not.a.token")
    *_, rest, last = await shared.events(before)
    assert await shared.size() == before + REFUSALS_A_MINUTE + 2
    assert (rest.code, rest.count) == ("NOT_SIGNED_IN", 15)
    assert (last.code, last.count) == ("NOT_SIGNED_IN", None)
    assert await counted(shared, "member") == there


async def test_a_flood_of_garbage_hides_no_attempt_of_a_member(shared: World) -> None:
    shared.clock.move(timedelta(minutes=1))
    for _ in range(REFUSALS_A_MINUTE + 1):
        await shared.ask(SARI, READ, token="not.a.token")
    before = await shared.size()

    await shared.ask("maria", READ)
    await shared.ask(TUTI, READ)
    await shared.ask(SARI, READ, token="not.a.token")

    actors = [event.actor for event in await shared.events(before)]
    assert actors == [shared.records.member("maria").id, shared.records.member(TUTI).id]


async def test_no_signed_in_caller_is_kept_out_by_a_flood(shared: World) -> None:
    shared.clock.move(timedelta(minutes=1))
    for _ in range(REFUSALS_A_MINUTE + 1):
        await shared.ask(SARI, READ, token="not.a.token")
    before = await shared.size()

    answer = await Request(shared).send()

    assert answer.codes == []
    [event] = await shared.events(before)
    assert event.action is Action.READ
