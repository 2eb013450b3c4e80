"""`perisai policy create-key` and `policy sign`, by persons who have no settings of ours."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.accesslog.note import VerifierKey
from api.casework.policy_bundle import Bundle, Signers, open_signed
from api.cli.main import app
from api.crypto.signatures import SigningKey
from api.policies.engine import hash_of, shipped_texts

HERE, OLD = "perisai.example/log", "ab" * 32
NEXT = ("--installation", HERE, "--number", "1", "--replaces", OLD)


def invoke(*words: object, say: str | None = None) -> Result:
    arguments = ["policy", *map(str, words)]
    return CliRunner().invoke(app, arguments, input=say, env={"PERISAI_CONFIG": None})


def done(*words: object) -> str:
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: object) -> str:
    result = invoke(*words)
    assert result.exit_code == 1
    return " ".join(result.output.split())


class Signer:
    """A person with a key in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file, self.name = folder / f"{name}.pem", name
        said = done("create-key", self.file, "--name", name)
        self.key = VerifierKey.parse(said.strip())

    def sign(self, what: Path, part: str, output: Path, *more: str) -> tuple[object, ...]:
        own = ("--key", self.file, "--name", self.name)
        return ("sign", what, "--as", part, *own, "-o", output, *more)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the shipped policy in a folder; there is no demo beside it."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "policy"
    made.mkdir()
    for name, text in shipped_texts().items():
        (made / f"{name}.polar").write_text(text, encoding="utf-8")
    return made


def test_two_persons_sign_with_nothing_but_files(tmp_path: Path, folder: Path) -> None:
    author, approver = Signer(tmp_path, "author"), Signer(tmp_path, "approver")
    draft, bundle = tmp_path / "draft", tmp_path / "bundle"

    said = done(*author.sign(folder, "author", draft, *NEXT, "--yes"))
    assert f"replaces {OLD}, as number 1 of {HERE}" in said
    assert f"author ({author.key.key_id.hex()})" in said
    done(*approver.sign(draft, "approver", bundle, "--yes"))

    signed = open_signed(
        Bundle.parse(bundle.read_bytes()).note, Signers(HERE, (author.key,), (approver.key,))
    )
    assert signed.approver == approver.key
    assert signed.statement.policy == hash_of(shipped_texts())
    assert "approved already" in refused(*author.sign(bundle, "approver", tmp_path / "x", "--yes"))


def test_a_key_is_of_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    one = Signer(tmp_path, "one")

    assert one.file.stat().st_mode & 0o777 == 0o600
    assert one.key == VerifierKey("one", 1, SigningKey.load(one.file).public)
    assert "No key can be made" in refused("create-key", one.file, "--name", "one")
    assert "small letters" in refused("create-key", tmp_path / "x", "--name", "Sari Dewi")
    assert not (tmp_path / "x").exists()


def test_what_is_not_confirmed_or_not_sound_is_not_signed(tmp_path: Path, folder: Path) -> None:
    author = Signer(tmp_path, "author")
    output = tmp_path / "draft"
    assert invoke(*author.sign(folder, "author", output, *NEXT), say="n\n").exit_code == 1
    assert not output.exists()
    for wrong in (("--number", "0"), ("--replaces", "x"), ("--installation", "two words")):
        said = refused(*author.sign(folder, "author", output, *NEXT, *wrong, "--yes"))
        assert "none that can be signed" in said
    assert "settings" in refused(*author.sign(folder, "author", output, "--yes"))
    done(*author.sign(folder, "author", output, *NEXT, "--yes"))
    assert "there already" in refused(*author.sign(folder, "author", output, *NEXT, "--yes"))
    assert "is you" in refused(*author.sign(output, "approver", tmp_path / "x", "--yes"))
    (folder / "base.polar").write_text("see(_, _, _);\n", encoding="utf-8")
    assert "base.polar:" in refused(*author.sign(folder, "author", tmp_path / "x", *NEXT, "--yes"))
    output.write_bytes(output.read_bytes().replace(b"lpsk", b"LPSK"))
    for words in (
        author.sign(output, "approver", tmp_path / "x", "--yes"),
        ("check", output),
        ("diff", output),
    ):
        assert "is no bundle" in refused(*words)
    assert not (tmp_path / "x").exists()
