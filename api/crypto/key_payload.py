"""What the key file holds once it is open: JSON, by owner, kind and version.

A change keeps all that it does not change, also what this version of Perisai
does not know (FORMAT.md, "Key file").
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from api.crypto.key_file import Randomness
from api.crypto.key_service import KeyKind
from api.errors import KeysUnavailable, RefusesToStart

#: Bytes of every key.
KEY_SIZE = 32

#: {"v": 1, "owners": {owner: {kind: [{"version", "made", "key"}], "retired": {kind: moment}}}}
Content = dict[str, Any]
Now = Callable[[], datetime]


def new_content() -> Content:
    """Give the content of a file without owners."""
    return {"v": 1, "owners": {}}


def printed(content: Content) -> bytes:
    """Print *content* as it is sealed."""
    return json.dumps(content, separators=(",", ":")).encode()


def parsed(data: bytes) -> Content:
    """Read what `printed` printed.

    Raises:
        RefusesToStart: it is of a newer version.
    """
    # Authenticated before: whoever wrote it held the passphrase, so only the version is asked.
    content: Content = json.loads(data)
    if content["v"] != 1:
        raise RefusesToStart("The key file is of a newer version of Perisai.")
    return content


def secret_of(key: dict[str, Any]) -> bytes:
    """Give the bytes of one key.

    Raises:
        RefusesToStart: it has not 32 bytes.
    """
    secret = bytes.fromhex(key["key"])
    if len(secret) != KEY_SIZE:
        raise RefusesToStart("The key file holds a key that has not 32 bytes.")
    return secret


def add_owner(content: Content, owner: str, now: Now, randomness: Randomness) -> None:
    """Add *owner*, who has no keys yet, with the first version of each kind."""
    content["owners"][owner] = {kind.value: [_new_key(1, now, randomness)] for kind in KeyKind}


def add_version(
    content: Content, owner: str, kind: KeyKind, now: Now, randomness: Randomness
) -> None:
    """Add the next version."""
    version = newest(content, owner, kind) + 1
    content["owners"][owner][kind].append(_new_key(version, now, randomness))


def newest(content: Content, owner: str, kind: KeyKind) -> int:
    """Give the highest version, which is in use."""
    return max(int(key["version"]) for key in content["owners"][owner][kind])


def drop_below(content: Content, owner: str, kind: KeyKind, version: int, now: Now) -> bool:
    """Drop every version below *version*, which stays; tell whether there was one.

    The file remembers when.

    Raises:
        KeysUnavailable: there is no such version, so that the newest always stays.
    """
    keys = content["owners"][owner][kind]
    if version not in {key["version"] for key in keys}:
        raise KeysUnavailable
    kept = [key for key in keys if key["version"] >= version]
    if len(kept) == len(keys):
        return False
    content["owners"][owner][kind] = kept
    content["owners"][owner].setdefault("retired", {})[kind.value] = _moment(now)
    return True


def retired(content: Content, owner: str, kind: KeyKind) -> datetime | None:
    """Tell when versions were last dropped, if ever."""
    moment = content["owners"][owner].get("retired", {}).get(kind)
    return None if moment is None else datetime.fromisoformat(moment)


def _new_key(version: int, now: Now, randomness: Randomness) -> dict[str, Any]:
    return {"version": version, "made": _moment(now), "key": randomness(KEY_SIZE).hex()}


def _moment(now: Now) -> str:
    return now().astimezone(UTC).isoformat(timespec="seconds")
