"""The four requests that a newcomer pastes: one for each thing that Perisai does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.cli.terminal import DEMO_FOLDER
from api.demo.documents import RELEASES_ID
from api.demo.synthetic import RATNA, SARI, TUTI, WAYAN
from api.demo.synthetic_records import Synthetic

_OPEN = """query ($mine: ID!, $other: ID!) {
  caseFiles(first: 3, filter: {assignedToMe: true}) { edges { node { id reference urgency } } }
  mine: caseFile(id: $mine) { ...shown }
  other: caseFile(id: $other) { ...shown }
}
fragment shown on CaseFile {
  reference
  defenders { fullName nik phones withheld { field reason howToAsk } }
}"""

_FOREIGN = "query ($id: ID!) { caseFile(id: $id) { reference status } }"

_EVENTS = """query ($record: ID!) {
  accessEvents(first: 3, filter: {record: $record}) {
    edges { node { index at actor organisation action decision code
      touched { decision ground reason fields records { kind id } } } }
  }
}"""


def requests_to_paste(address: str, records: Synthetic) -> Iterator[tuple[str, str]]:
    """Give title and curl command of each request."""
    mine, other = str(records.open_to_sari), str(records.closed_to_sari)
    yield (
        "1. Sari lists her case files, opens one of hers and one of a colleague",
        _curl(address, "agency", SARI, "protection", _text(_OPEN, {"mine": mine, "other": other})),
    )
    yield (
        "2. For Wayan of LPSK the same case file does not exist",
        _curl(address, "agency", WAYAN, "protection", _text(_FOREIGN, {"id": mine})),
    )
    yield (
        "3. Ratna, a partner, reads the redacted release that was made for her organisation",
        _curl(address, "partner", RATNA, "referral", {"documentId": RELEASES_ID}),
    )
    yield (
        "4. Tuti, a security officer, sees who touched that case file, and nobody's name",
        _curl(address, "oversight", TUTI, "quality_review", _text(_EVENTS, {"record": mine})),
    )


def _text(query: str, variables: dict[str, str]) -> dict[str, Any]:
    return {"query": " ".join(query.split()), "variables": variables}


def _curl(address: str, face: str, who: str, purpose: str, body: dict[str, Any]) -> str:
    at = f"{address}/graphql/{face}"
    if face == "partner":  # Its tokens are bound to a key: curl reads both headers.
        proven, signed_in = f".venv/bin/perisai token {who} --dpop {at} | \\\n", "-H @-"
    else:
        token = Path(DEMO_FOLDER, "tokens", who)
        proven, signed_in = "", f'-H "Authorization: Bearer $(cat {token})"'
    return (
        f"{proven}curl -s {at} \\\n"
        f"  {signed_in} \\\n"
        f"  -H 'Perisai-Purpose: {purpose}' -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(body)}'"
    )
