"""`perisai documents`: what fits is admitted under its hash, what does not is named."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.main import app
from api.schema.trusted import hash_of, store

VIEWER = b"query Viewer { viewer { memberId } }"
RELEASES = b"query Releases { releases(first: 1) { edges { cursor } } }"
NIK = "3171234567890001"


def documents(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["documents", *arguments, "--folder", str(folder)])


def written(folder: Path, texts: Sequence[bytes]) -> list[str]:
    """Write *texts* into files; give their paths."""
    paths = [folder / f"{number}.graphql" for number, _ in enumerate(texts)]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    return [str(path) for path in paths]


@pytest.fixture
def admitted(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    return folder


def test_documents_are_added_once_and_listed(tmp_path: Path, admitted: Path) -> None:
    paths = written(tmp_path, [VIEWER, RELEASES])

    added = documents(admitted, "add", "partner", *paths)
    again = documents(admitted, "add", "partner", paths[0])
    listed = documents(admitted, "list")
    checked = documents(admitted, "check")

    names = [f"sha256:{hash_of(VIEWER)}  Viewer", f"sha256:{hash_of(RELEASES)}  Releases"]
    assert (added.exit_code, added.stdout.splitlines()) == (0, names)
    assert (again.exit_code, again.stdout) == (0, f"{names[0]}  (was there)\n")
    assert listed.stdout.splitlines() == sorted(f"partner  {name}" for name in names)
    assert (checked.exit_code, checked.stdout) == (0, "2 documents fit.\n")


@pytest.mark.parametrize(
    "text",
    [
        b"{ viewer { memberId } }",
        b"query A { viewer { memberId } } query B { viewer { memberId } }",
        b"query A { caseFiles(first: 1) { edges { cursor } } }",
        b"query A { __schema { description } }",
        b"query A {",
        f'query A {{ releases(first: "{NIK}") {{ edges {{ cursor }} }} }}'.encode(),
    ],
)
def test_of_documents_of_which_one_does_not_fit_none_is_added(
    tmp_path: Path, admitted: Path, text: bytes
) -> None:
    paths = written(tmp_path, [VIEWER, text])

    refused = documents(admitted, "add", "partner", *paths)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert paths[1] in refused.stderr
    assert NIK not in refused.stderr
    assert list(admitted.iterdir()) == []


def test_each_document_that_does_not_fit_any_more_is_named(admitted: Path) -> None:
    old = b"query Old { viewer { shoeSize } }"
    for text in (VIEWER, old):
        store(admitted / "agency", text)
    store(admitted / "partner", RELEASES)
    (admitted / "partner" / f"{hash_of(RELEASES)}.graphql").write_bytes(VIEWER)

    checked = documents(admitted, "check")

    assert checked.exit_code == 1
    first, second, last = checked.stderr.splitlines()
    assert f"agency/{hash_of(old)}.graphql: 1:22: Cannot query field 'shoeSize'" in first
    assert f"partner/{hash_of(RELEASES)}.graphql was changed" in second
    assert last == "2 of 3 documents would not be executed."
    assert documents(admitted, "list").exit_code == 1


def test_what_is_no_document_of_a_face_is_refused(tmp_path: Path, admitted: Path) -> None:
    (admitted / "partner").mkdir()
    (admitted / "partner" / "releases.graphql").write_bytes(RELEASES)
    assert "releases.graphql is no trusted document" in documents(admitted, "check").stderr
    assert "cannot be read" in documents(admitted, "add", "agency", "not-there").stderr
    assert documents(admitted, "add", "public", "x").exit_code == 2
    assert "no folder" in documents(tmp_path / "nowhere", "list").stderr


def test_without_a_folder_the_settings_have_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PERISAI_CONFIG", raising=False)

    refused = CliRunner().invoke(app, ["documents", "check"])

    assert (refused.exit_code, refused.stdout) == (1, "")
