"""The documents say what the code does: codes, settings, commands and links are compared."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic_core import PydanticUndefined
from typer.main import get_command

from api import errors
from api.cli.demo_requests import requests_to_paste
from api.cli.main import app
from api.demo.documents import RELEASES, RELEASES_ID
from api.demo.synthetic import synthetic
from api.errors import PerisaiError
from api.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("api/**/*.md")])

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]*) \|", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{link} is not there"
        if anchor:
            assert anchor in anchors(target), f"{link} names no heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(
        r"(?<![\w/.])((?:api|tests|benchmarks|docs)/[\w./-]+\.\w+)",
        page.read_text(encoding="utf-8"),
    )

    missing = {name for name in named if not (ROOT / name).exists()}

    assert missing == set()


def leaves(base: type[PerisaiError]) -> set[type[PerisaiError]]:
    return {base}.union(*(leaves(leaf) for leaf in base.__subclasses__()))


def test_the_page_of_errors_lists_exactly_the_codes_of_the_code() -> None:
    listed = [code for code, _ in _ROW.findall(text_of("docs/errors.md"))]
    in_code = {leaf.code for leaf in leaves(PerisaiError) if leaf.__module__ == errors.__name__}

    assert sorted(listed) == sorted(in_code)


def test_the_page_of_errors_gives_each_code_its_status() -> None:
    statuses = dict(_ROW.findall(text_of("docs/errors.md")))
    for leaf in leaves(PerisaiError):
        if leaf.__module__ != errors.__name__ or statuses[leaf.code].startswith("exit"):
            continue
        assert statuses[leaf.code].startswith(str(leaf.status)), leaf.code


def test_the_settings_are_listed_with_their_defaults() -> None:
    section = text_of("docs/operations.md").partition("## Settings")[2].partition("\n## ")[0]
    listed = dict(_ROW.findall(section))

    assert listed == {name: printed(f.default) for name, f in Settings.model_fields.items()}


def test_every_line_of_the_service_log_is_explained() -> None:
    section = text_of("docs/operations.md").partition("## What to watch")[2].partition("\n## ")[0]
    source = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("api/**/*.py"))
    logged = set(re.findall(r'_log\.(?:info|warning|error|critical)\(\s*"(\w+)"', source))

    assert logged | {"library_warning"} == {name for name, _ in _ROW.findall(section)}


def printed(default: Any) -> str:
    if default is PydanticUndefined:
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default)
    return f"`{default}`"


def command(words: list[str]) -> bool:
    """Tell whether `perisai <words>` begins with a command that exists."""
    found: click.Command = get_command(app)
    for word in words:
        # By its table of commands, not by its class: typer brings a click of its own.
        commands: dict[str, click.Command] | None = getattr(found, "commands", None)
        if commands is None:
            return True  # The rest are its arguments.
        if word not in commands:
            return False
        found = commands[word]
    return getattr(found, "commands", None) is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_quotes_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    quoted = re.findall(r"(?:^|`|\$\()(?:\.venv/bin/)?perisai ([^`\n#)]+)", text, re.MULTILINE)

    assert [q for q in quoted if not command(q.split()) and q.strip() not in GROUPS] == []


#: Groups of commands that a page may name as a whole.
GROUPS = {"log", "keys", "members", "organisations", "witness"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_quotes_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    quoted = re.findall(r"(?:^ *|`)make ([a-z-]+)", text, re.MULTILINE)

    assert [q for q in quoted if q not in targets] == []


def test_the_readme_shows_the_four_requests_of_the_demo() -> None:
    readme = " ".join(text_of("README.md").split())
    requests = requests_to_paste("http://127.0.0.1:8463", synthetic(1, date(2026, 11, 2), 40))
    for title, curl in requests:
        body = json.loads(re.findall(r"-d '(.*)'$", curl)[0])

        assert title in readme
        if "documentId" in body:
            assert body["documentId"] == RELEASES_ID
            assert " ".join(RELEASES.split()) in readme
        assert body.get("query", RELEASES_ID) in readme


def test_the_readme_names_every_command() -> None:
    listed = set(re.findall(r"`perisai ([a-z -]+)`", text_of("README.md")))
    root = get_command(app)
    there = set()
    for name, one in root.commands.items():
        below = getattr(one, "commands", None)
        there |= {name} if below is None else {f"{name} {word}" for word in below}

    assert there <= listed
