"""What the schemas changed since the last release, and whether the changelog tells it.

The schema of each face as it was last released stands beside the current one. What may break
somebody's client is named in the changelog before it is released: `make lint` asks for it.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from graphql import GraphQLSchema, build_schema, specified_scalar_types
from graphql.utilities import find_breaking_changes, find_dangerous_changes

from api.schema.snapshot import FACES, snapshot_path

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"

#: A schema coordinate below a type: Type.field, Type.field(argument:), @directive(argument:).
_COORDINATE = re.compile(r"\b\w+\.\w+(?:\(\w+:\))?|@\w+(?:\(\w+:\))?")


class Change(NamedTuple):
    """One change that a client may notice.

    Attributes:
        place: its schema coordinate, such as CaseFile.reference.
        breaking: a request that was good fails; otherwise its answer may surprise.
    """

    face: str
    place: str
    breaking: bool
    description: str


def released_path(face: str) -> Path:
    """Give the file with the schema of *face* as it was last released."""
    return snapshot_path(face).with_name("released.graphql")


def changes(face: str, released: str, current: str) -> list[Change]:
    """Compare two texts of a schema; what only adds to the answers is no change here."""
    old, new = build_schema(released), build_schema(current)
    found = [(True, c.description) for c in find_breaking_changes(old, new)]
    found += [(False, c.description) for c in find_dangerous_changes(old, new)]
    placed = [(_place(text, old, new), breaking, text) for breaking, text in found]
    # Int goes from a schema with its last use, which is a change of its own.
    return [Change(face, *one) for one in placed if one[0] not in specified_scalar_types]


def _place(description: str, old: GraphQLSchema, new: GraphQLSchema) -> str:
    """Find the coordinate that a description of graphql-core is about: it goes first."""
    below = _COORDINATE.search(description)
    if below:
        return below[0]
    types = old.type_map.keys() | new.type_map.keys()
    return next((word for word in re.findall(r"\w+", description) if word in types), description)


def untold(found: Iterable[Change], changelog: str) -> list[Change]:
    """Give the changes of which the unreleased section says nothing.

    One item tells a change if it names the face and the coordinate, both in backticks; a change
    that breaks stands under `### Breaking`.
    """
    items = list(_unreleased(changelog))
    return [
        change
        for change in found
        if not any(
            f"`{change.face}`" in item and f"`{change.place}`" in item
            for heading, item in items
            if heading == "Breaking" or not change.breaking
        )
    ]


def _unreleased(changelog: str) -> Iterator[tuple[str, str]]:
    """Give the items of the newest section, with their headings, if it is not released."""
    newest = re.split(r"^## ", changelog, flags=re.MULTILINE)[1]
    title, _, text = newest.partition("\n")
    if "unreleased" not in title.lower():
        return
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        heading, _, listed = part.partition("\n")
        for item in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]:
            yield heading.strip(), item


def asked_for(change: Change) -> str:
    """Say what to write."""
    heading = "Breaking" if change.breaking else "Changed"
    return (
        f"{change.description} Say so under `### {heading}` of the unreleased section of"
        f" CHANGELOG.md, in an item with `{change.face}` and `{change.place}`."
    )


def main() -> None:
    """End with what the changelog has to tell; with `--release`, move the released schemas."""
    if sys.argv[1:] == ["--release"]:
        for face in FACES:
            released_path(face).write_bytes(snapshot_path(face).read_bytes())
        return
    changelog = CHANGELOG.read_text(encoding="utf-8")
    missing = [
        asked_for(change)
        for face in FACES
        for change in untold(
            changes(
                face,
                released_path(face).read_text(encoding="utf-8"),
                snapshot_path(face).read_text(encoding="utf-8"),
            ),
            changelog,
        )
    ]
    if missing:
        raise SystemExit("\n".join(missing))


if __name__ == "__main__":
    main()
