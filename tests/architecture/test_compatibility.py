"""A change that may break somebody's client is told in the changelog, or the check fails."""

import sys
from pathlib import Path

import pytest

from api.schema import compatibility
from api.schema.compatibility import (
    CHANGELOG,
    Change,
    asked_for,
    changes,
    main,
    released_path,
    untold,
)
from api.schema.snapshot import FACES, sdl

RELEASED = """
type Query {
  caseFile(id: ID!, shown: Int = 3): CaseFile
  newest: CaseFile
}
type CaseFile { reference: String status: Status }
enum Status { ACTIVE CLOSED }
input Filter { status: Status }
"""

#: What is exchanged in the schema: the change that is found, by its place, and whether it breaks.
CHANGES = {
    ("reference: String status", "status"): ("CaseFile.reference", True),
    ("  newest: CaseFile\n", ""): ("Query.newest", True),
    ("reference: String", "reference: Int"): ("CaseFile.reference", True),
    ("shown: Int = 3", "shown: Int!"): ("Query.caseFile(shown:)", True),
    ("shown: Int = 3", "shown: Int = 3, why: String!"): ("Query.caseFile(why:)", True),
    ("id: ID!, shown: Int = 3", "id: ID!"): ("Query.caseFile(shown:)", True),
    ("ACTIVE CLOSED", "ACTIVE"): ("Status.CLOSED", True),
    ("{ status: Status }", "{ status: Status! }"): ("Filter.status", True),
    ("{ status: Status }", "{ status: Status, since: Int! }"): ("Filter.since", True),
    ("input Filter { status: Status }", ""): ("Filter", True),
    ("ACTIVE CLOSED", "ACTIVE CLOSED ENDED"): ("Status.ENDED", False),
    ("shown: Int = 3", "shown: Int = 4"): ("Query.caseFile(shown:)", False),
    ("shown: Int = 3", "shown: Int = 3, why: String"): ("Query.caseFile(why:)", False),
}


def changelog(heading: str, item: str, title: str = "[0.2.0] - unreleased") -> str:
    return (
        f"# Changelog\n\n## {title}\n\n### Added\n\n- A thing.\n\n### {heading}\n\n{item}\n"
        "\n## [0.1.0] - 2026-12-01\n\n### Breaking\n\n- Of then: `agency`, `CaseFile.status`.\n"
    )


def test_the_schemas_changed_nothing_since_the_release_that_the_changelog_does_not_tell() -> None:
    text = CHANGELOG.read_text(encoding="utf-8")
    for face in FACES:
        found = changes(face, released_path(face).read_text(encoding="utf-8"), sdl(face))

        assert [asked_for(change) for change in untold(found, text)] == []


@pytest.mark.parametrize("exchanged", CHANGES, ids=" -> ".join)
def test_a_change_is_found_and_passes_once_it_is_told(exchanged: tuple[str, str]) -> None:
    place, breaking = CHANGES[exchanged]
    before, after = exchanged
    assert before in RELEASED

    found = changes("agency", RELEASED, RELEASED.replace(before, after))

    assert [(c.place, c.breaking) for c in found] == [(place, breaking)]
    heading = "Breaking" if breaking else "Changed"
    assert f"`### {heading}`" in asked_for(found[0])
    assert untold(found, changelog("Breaking", "- Nothing of it.")) == found
    assert untold(found, changelog(heading, f"- Of the `agency` face:\n  `{place}`.")) == []


def test_what_only_adds_to_the_answers_is_no_change() -> None:
    current = RELEASED.replace("status: Status }", "status: Status notes: [String!] }", 1)

    assert changes("agency", RELEASED, current) == []


GONE = Change("agency", "CaseFile.status", True, "Field CaseFile.status was removed.")


@pytest.mark.parametrize(
    "text",
    [
        changelog("Breaking", "- `agency`: `CaseFile.statusOf` went."),
        changelog("Breaking", "- `oversight`: `CaseFile.status` went."),
        changelog("Breaking", "- `agency` is better.\n- `CaseFile.status` went."),
        changelog("Changed", "- `agency`: `CaseFile.status` went."),
        changelog("Breaking", "- `agency`: `CaseFile.status` went.", "[0.2.0] - 2027-02-01"),
    ],
    ids=["another place", "another face", "in two items", "not as breaking", "released"],
)
def test_a_change_is_not_told_by(text: str) -> None:
    assert untold([GONE], text) == [GONE]


def test_the_check_of_the_lint_fails_and_says_what_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    released = tmp_path / "released.graphql"
    released.write_text("type Query { was: String }", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["compatibility"])
    main()

    monkeypatch.setattr(compatibility, "released_path", lambda _face: released)
    with pytest.raises(SystemExit, match=r"with `agency` and `Query\.was`"):
        main()
