"""After a full run of all faces and many errors, no sealed value stands where it should not.

Every line the service wrote (structlog, the standard library, warnings), every error
answer, every leaf of the log, and the databases themselves are searched for every
plaintext that was ever sealed or typed in: in clear, as JSON escapes it, in UTF-16,
hex and base64.
"""

import io
import json
import logging
from uuid import uuid4

from api.accesslog.event import Event
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from tests.inside import exchanged
from tests.scenarios.attaching import download, upload
from tests.scenarios.leaks import database_files, every_cell, found_in
from tests.world import Answer, World

#: What the callers of this run type in; it is sealed, searched for, or refused.
TYPED = {
    "name": "Xaveria Quintuple Ngabdurrahman",
    "alias": "Si Kancil Petualang 77",
    "nik": "3273995708910077",
    "wrong nik": "3273995708919x77",
    "phone": "+6281298765401",
    "wrong phone": "0812-rahasia-9",
    "email": "xaveria.quintuple@example.org",
    "address": "Jalan Kelimutu Rahasia 177, RT 09",
    "account": "Ia diikuti mobil abu-abu sejak pasar Senen, tiga malam berturut-turut.",
    "note": "Saksi kunci bersembunyi di rumah kakaknya.",
    "reason": "Adiknya, Bu Nirmala, meminta semuanya dihapus lewat surat.",
    "statement": "Pernyataan saksi: pelaku datang dengan dua sepeda motor, pukul tiga pagi.",
    "file name": "Pernyataan-Xaveria-Ngabdurrahman-77.txt",
    "unknown code": "kategori-rahasia-xyz",
}

READ = """query ($id: ID!) { caseFile(id: $id) { id reference account sexualViolenceForms
  defenders { id revision fullName aliases nik familyCard dateOfBirth gender nationality
    sealedCategories phones emails homeAddress presentLocation withheld { field reason } }
  notes { id author body } withheld { field } } }"""
LIST = """{ caseFiles(first: 100) { edges { cursor node { id account
  defenders { fullName nik phones emails homeAddress presentLocation } } } } }"""
FIND = """query ($by: SearchBy!, $value: String!) {
  findDefenders(by: $by, value: $value, first: 20) {
  likeness defender { id fullName nik phones } } }"""
OPEN = """mutation ($defender: DefenderInput!, $account: String!, $province: String!) {
  openCaseFile(input: {urgency: URGENT, sensitivity: 2, province: $province, account: $account,
    incidentKinds: ["death_threat"], defenders: [$defender]}) {
  caseFile { id account defenders { id revision fullName phones } } errors { code message } } }"""
UPDATE = """mutation ($input: UpdateDefenderInput!) { updateDefender(input: $input) {
  defender { id fullName nik phones } errors { code message } } }"""
NOTE = """mutation ($id: ID!, $body: String!) { addNote(input: {caseFileId: $id, body: $body}) {
  noteId errors { code message } } }"""
HOLD = """mutation ($id: ID!, $text: String!) { placeLegalHold(input: {
  kind: CASE_FILE, recordId: $id,
  reason: DISPUTE, reasonText: $text}) { holdId errors { code message } } }"""
ASSIGN = """mutation ($id: ID!, $who: ID!) { assignCaseworker(input: {
  caseFileId: $id, memberId: $who, until: "2026-12-01T00:00:00Z"}) { errors { code message } } }"""
ATTACHED = "query ($id: ID!) { caseFile(id: $id) { attachments { id name mediaType size } } }"
EVENTS = """{ accessEvents(first: 100) { edges { node { index at requestId actor organisation role
  action phase purpose decision code policy touched { reason fields records { kind id } } } } } }"""


async def run_all(world: World) -> list[Answer]:
    """Ask everything, rightly and wrongly; give every answer that is an error."""
    records = world.records
    mine, other = str(records.open_to_sari), str(records.closed_to_sari)
    person = next(d for d in records.defenders if d.nik and d.phones)
    rizal = str(records.member("rizal").id)
    errors: list[Answer] = []

    async def ask(*args: object, **options: object) -> Answer:
        answer = await world.ask(*args, **options)  # type: ignore[arg-type]  # passed on
        if "errors" in answer.body or "message" in answer.text:
            errors.append(answer)
        return answer

    known = {
        "fullName": TYPED["name"],
        "aliases": [TYPED["alias"]],
        "nik": TYPED["nik"],
        "phones": [TYPED["phone"]],
        "emails": [TYPED["email"]],
        "homeAddress": TYPED["address"],
        "presentLocation": TYPED["address"] + " belakang",
    }
    intake = {"defender": known, "account": TYPED["account"], "province": "31"}
    # Rightly.
    for who, purpose in ((SARI, "protection"), (BUDI, "supervision"), (WAYAN, "protection")):
        await ask(who, LIST, purpose=purpose)
        for record in (mine, other):
            await ask(who, READ, {"id": record}, purpose=purpose)
    for by, value in (("NIK", person.nik), ("PHONE", person.phones[0]), ("NAME", "joesoef")):
        await ask(SARI, FIND, {"by": by, "value": value})
    opened = (await ask(SARI, OPEN, intake, purpose="intake")).data["openCaseFile"]["caseFile"]
    made = opened["defenders"][0]
    assert made["fullName"] == TYPED["name"]
    change = {"id": made["id"], "revision": made["revision"], "gender": "perempuan"}
    await ask(SARI, UPDATE, {"input": {**change, "homeAddress": TYPED["address"] + " baru"}})
    assert (await ask(SARI, NOTE, {"id": mine, "body": TYPED["note"]})).codes == []
    held = {"id": mine, "text": TYPED["reason"]}
    placed = await ask("hartono", HOLD, held, purpose="supervision")
    assert placed.data["placeLegalHold"]["holdId"]
    await ask(SARI, HOLD, held)
    await ask("hartono", HOLD, {**held, "text": TYPED["reason"] * 40}, purpose="supervision")
    reasons = "query ($id: ID!) { caseFile(id: $id) { reasons { text opening } } }"
    shown = (await ask(SARI, reasons, {"id": mine})).data["caseFile"]["reasons"]
    assert [one["text"] for one in shown] == [TYPED["reason"]]
    await ask(BUDI, ASSIGN, {"id": other, "who": str(records.member(SARI).id)})
    assert "NOT_FOUND" not in (await ask(SARI, READ, {"id": other})).codes
    partner = {"face": "partner", "purpose": "referral"}
    release = "{ releases(first: 9) { edges { node { id content { summary needs } } } } }"
    await ask(RATNA, release, **partner)
    # Wrongly: each value that a caller typed comes near an error.
    for key in ("nik", "wrong nik", "phone", "wrong phone"):
        for by in ("NIK", "PHONE", "NAME"):
            await ask(SARI, FIND, {"by": by, "value": TYPED[key]})
            await ask(
                SARI, f'{{ findDefenders(by: {by}, value: "{TYPED[key]}", first: 9) {{ score }} }}'
            )
    for column, wrong in (("nik", "wrong nik"), ("phones", "wrong phone"), ("fullName", "name")):
        value = [TYPED[wrong]] if column == "phones" else TYPED[wrong]
        await ask(SARI, OPEN, {**intake, "defender": {**known, column: value}})
        await ask(SARI, UPDATE, {"input": {**change, column: value}})
        await ask(WAYAN, UPDATE, {"input": {**change, column: value}})
        # A value of the wrong kind, whose error graphql-core would repeat.
        await ask(SARI, OPEN, {**intake, "defender": {**known, column: {"x": value}}})
        await ask(SARI, FIND, {"by": TYPED[wrong], "value": known})
        await ask(SARI, f'{{ findDefenders(by: "{TYPED[wrong]}", value: 3) {{ score }} }}')
        await ask(SARI, f'{{ findDefenders(by: NAME, valeu: "{TYPED[wrong]}") {{ score }} }}')
    await ask(SARI, OPEN, {**intake, "province": TYPED["unknown code"]}, purpose="intake")
    await ask(SARI, OPEN, {**intake, "defender": {**known, "categories": [TYPED["unknown code"]]}})
    await ask(SARI, OPEN, {**intake, "account": TYPED["account"] * 400}, purpose="intake")
    await ask(SARI, OPEN, {**intake, "account": TYPED["account"] + "\x00"}, purpose="intake")
    await ask(SARI, OPEN, intake, purpose=TYPED["unknown code"])
    await ask(SARI, NOTE, {"id": other[:-1] + "0", "body": TYPED["note"]})
    await ask(SARI, NOTE, {"id": TYPED["note"], "body": TYPED["note"]})
    await ask(SARI, READ, {"id": TYPED["name"]})
    await ask(SARI, READ, {"id": str(uuid4())})
    await ask(
        SARI, f'{{ caseFiles(first: 3, after: "{TYPED["account"]}") {{ edges {{ cursor }} }} }}'
    )
    await ask(SARI, LIST, token=TYPED["name"])
    await ask(SARI, LIST, token=world.token(SARI)[:-9] + "AAAAAAAAA")
    await ask(RATNA, READ, {"id": mine})
    await ask(SARI, EVENTS, face="oversight")
    await ask(RATNA, "query ($id: ID!) { release(id: $id) { id } }", {"id": mine}, **partner)
    await ask(BUDI, ASSIGN, {"id": mine, "who": TYPED["name"]})
    await ask(BUDI, ASSIGN, {"id": mine, "who": rizal})
    bodies = (TYPED["account"], json.dumps([TYPED["account"]]), b'{"query": "\xff"}')
    signed_in = {"authorization": f"Bearer {world.token(SARI)}"}
    errors += [await world.post("agency", signed_in, body) for body in bodies]
    # A fault of ours whose text holds a value, in the middle of a request and at the door.
    async with exchanged(world, lambda _house: {"ledger": _Talkative()}) as inside:
        for who, token in ((SARI, None), (SARI, "nothing.of.ours")):
            answer = await inside.world.ask(who, READ, {"id": mine}, token=token)
            assert answer.codes == ["INTERNAL"]
            errors.append(answer)
    errors += await attachments(world, mine)
    # Rows that an administrator broke: the service reports them where operators look.
    await world.run("update defender set nik = full_name, emails = phones")
    await world.run("update note set body = (select account from case_file limit 1)")
    await world.run("update data_key set commitment = wrapped where compartment = 'contact'")
    await ask(SARI, READ, {"id": mine})
    await ask(SARI, LIST)
    await ask(TUTI, EVENTS, face="oversight", purpose="quality_review")
    logging.getLogger("some.library").warning("it was given %s", TYPED["name"])
    return errors


async def attachments(world: World, mine: str) -> list[Answer]:
    """Add, read and break attachments; give every answer that is an error."""
    content, name = TYPED["statement"].encode(), TYPED["file name"]
    kept = await upload(world, SARI, mine, content, name)
    attachment = kept.json()["data"]["attachmentId"]
    assert (await download(world, SARI, attachment)).content == content
    assert (await world.ask(SARI, ATTACHED, {"id": mine})).data["caseFile"]["attachments"]
    refused = [
        await upload(world, SARI, mine, b"<html>" + content, name),
        await upload(world, SARI, mine, content, name + "/" + name),
        await upload(world, SARI, TYPED["statement"][:20], content, name),
        await upload(world, WAYAN, mine, content, name),
        await upload(world, SARI, mine, content, more={"perisai-file-name": name}),
        await download(world, SARI, name),
        await download(world, WAYAN, attachment),
    ]
    await world.run("update attachment_chunk set data = (select account from case_file limit 1)")
    refused.append(await download(world, SARI, attachment))
    await world.run("update attachment set name = (select account from case_file limit 1)")
    refused.append(await download(world, SARI, attachment))
    assert all(a.status_code >= 400 for a in refused), refused
    return [Answer(a.status_code, a.headers, a.text) for a in refused]


class _Talkative:
    """A part that fails with what it was given in its words, as a driver's would."""

    async def append(self, _event: Event) -> int:
        raise RuntimeError(f"cannot write {TYPED['name']}") from ValueError(TYPED["nik"])


async def test_no_sealed_value_stands_in_a_line_an_error_a_leaf_or_a_database(
    watched: tuple[World, io.StringIO],
) -> None:
    world, lines = watched
    errors = await run_all(world)
    secrets = {*world.records.plaintexts(), *TYPED.values()}

    written = lines.getvalue().encode()
    refused = "\n".join(answer.text for answer in errors if not answer.body.get("data")).encode()
    payloads = "\n".join(
        json.dumps(answer.body.get("errors", [])) + str(_payload_errors(answer))
        for answer in errors
    ).encode()
    entries = await world.reader().entries(0, await world.size())

    # The run reached what it was to reach.
    assert len(errors) > 40
    assert {"seal_broken", "library_warning", "request", "unexpected"} <= _names(written.decode())
    assert len(entries) > 60
    assert len(secrets) > 300

    assert found_in(written, secrets) == set()
    assert found_in(refused, secrets) == set()
    assert found_in(payloads, secrets) == set()
    assert found_in(b"\x00".join(entry.body for entry in entries), secrets) == set()
    assert found_in(every_cell(world), secrets) == set()
    assert found_in(database_files(world), secrets) == set()
    headers = "\n".join(f"{n}: {v}" for a in errors for n, v in a.headers.items())
    assert found_in(headers.encode(), secrets) == set()
    for token in {world.token(who) for who in (SARI, RATNA, TUTI)}:
        head, payload, _ = token.split(".")
        assert payload.encode() not in written
        assert f"{head}.{payload}".encode() not in database_files(world)


def _names(written: str) -> set[str]:
    """Give the names of the events in the service's own lines; each line is JSON."""
    return {json.loads(line)["event"] for line in written.splitlines()}


def _payload_errors(answer: Answer) -> list[object]:
    data = answer.body.get("data") or {}
    return [value.get("errors") for value in data.values() if isinstance(value, dict)]
