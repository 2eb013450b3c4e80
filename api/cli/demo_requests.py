"""The four requests that a newcomer pastes: one for each thing that Perisai does."""

import json
from collections.abc import Iterator
from pathlib import Path

from api.cli.terminal import DEMO_FOLDER
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

_RELEASES = """{
  releases(first: 1) {
    edges { node { id agency purpose until
      content { province month incidentKinds needs summary } } }
  }
}"""

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
        _curl(address, "agency", SARI, "protection", _OPEN, {"mine": mine, "other": other}),
    )
    yield (
        "2. For Wayan of LPSK the same case file does not exist",
        _curl(address, "agency", WAYAN, "protection", _FOREIGN, {"id": mine}),
    )
    yield (
        "3. Ratna, a partner, reads the redacted release that was made for her organisation",
        _curl(address, "partner", RATNA, "referral", _RELEASES, {}),
    )
    yield (
        "4. Tuti, a security officer, sees who touched that case file, and nobody's name",
        _curl(address, "oversight", TUTI, "quality_review", _EVENTS, {"record": mine}),
    )


def _curl(
    address: str, face: str, who: str, purpose: str, query: str, variables: dict[str, str]
) -> str:
    body = json.dumps({"query": " ".join(query.split()), "variables": variables})
    token = Path(DEMO_FOLDER, "tokens", who)
    return (
        f"curl -s {address}/graphql/{face} \\\n"
        f'  -H "Authorization: Bearer $(cat {token})" \\\n'
        f"  -H 'Perisai-Purpose: {purpose}' -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}'"
    )
