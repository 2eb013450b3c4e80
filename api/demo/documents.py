"""The documents that the demo's partners send: admitted when it is made."""

from pathlib import Path

from api.schema.trusted import PREFIX, hash_of, store

#: The third of the four requests: what was released for the own organisation.
RELEASES = """query Releases {
  releases(first: 1) {
    edges { node { id agency purpose until mark
      content { province month incidentKinds needs summary } } }
  }
}"""

#: Its `documentId`.
RELEASES_ID = PREFIX + hash_of(RELEASES.encode())


def admit(folder: Path) -> None:
    """Put them into *folder*, which is that of the setting `documents`."""
    store(folder / "partner", RELEASES.encode())
