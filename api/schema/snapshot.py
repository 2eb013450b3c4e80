"""The SDL of each face as it is checked in beside its code: a change of it is seen in review.

Write the snapshots anew with `make schemas`.
"""

from pathlib import Path

from api.schema.faces import schema_of

#: Every face has a folder of its name beside this module.
FACES = ("agency", "partner", "oversight")


def snapshot_path(face: str) -> Path:
    """Give the file in which the schema of *face* is checked in."""
    return Path(__file__).parent / face / "schema.graphql"


def sdl(face: str) -> str:
    """Print the schema of *face*, with every description."""
    return schema_of(face).as_str().strip() + "\n"


def main() -> None:
    """Write all snapshots."""
    for face in FACES:
        snapshot_path(face).write_text(sdl(face), encoding="utf-8")


if __name__ == "__main__":
    main()
