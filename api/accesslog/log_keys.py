"""Which key of the log counts at which size, as the log's own checkpoints say.

A key is followed by another in two ways only. A change of keys is a checkpoint that the
old and the new key both sign, with a line that names both. A new epoch is a checkpoint
of the new key that carries the document of two approvers. Whoever trusts one key of such
a chain can so check all of it; from the change on the old key counts no more.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.accesslog.checkpoint import MAX_SIZE, Checkpoint
from api.accesslog.epoch import Epoch, digest, open_epoch
from api.accesslog.event import Event
from api.accesslog.note import ED25519, VerifierKey, open_note, strict_base64, text_of
from api.accesslog.tables import Tables
from api.errors import LogBroken, NoteInvalid
from api.vocabulary import Action

#: What the extension lines of a checkpoint that says something of keys begin with.
PREFIX: Final = "perisai-log-"
_CHANGE: Final = f"{PREFIX}key"
_EPOCH: Final = f"{PREFIX}epoch"
_BEFORE: Final = f"{PREFIX}before"

#: What an event on keys is about.
ON_KEYS: Final = frozenset({Action.CHANGE_LOG_KEY, Action.NEW_EPOCH})

#: Called with each event and its index.
Seen = Callable[[int, Event], None]


def change_line(old: VerifierKey, new: VerifierKey) -> str:
    """Give the extension line of a checkpoint from which on *new* signs in the place of *old*."""
    return f"{_CHANGE} {old} {new}"


def epoch_line(document: str) -> str:
    """Give the extension line of the first checkpoint of an epoch, with its document."""
    return f"{_EPOCH} {base64.b64encode(document.encode()).decode()}"


def before_line(note: str) -> str:
    """Give the line that carries, into a new epoch, what was said of keys and is lost."""
    return f"{_BEFORE} {base64.b64encode(note.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class BegunEpoch:
    """An epoch, and the size of its first checkpoint or, where that is lost, at most so much."""

    size: int
    epoch: Epoch


@dataclass(frozen=True, slots=True)
class _Link:
    """*old* counts up to *until*, and *new* from *size* on.

    Attributes:
        event: what the event of it in the log has for its request.
        carried: the checkpoint that said so is lost; one of a later epoch carries it.
    """

    old: VerifierKey
    until: int
    new: VerifierKey
    size: int
    event: str
    epoch: Epoch | None = None
    carried: bool = False

    def upto(self, size: int) -> "_Link":
        """Give this link as it counts where all after *size* is lost."""
        return replace(self, until=min(self.until, size), size=min(self.size, size), carried=True)


async def notes_on_keys(connection: AsyncConnection, tables: Tables) -> Sequence[str]:
    """Read the checkpoints that say something of keys, among all that are stored."""
    stored = tables.checkpoint
    notes = await connection.scalars(
        select(stored.c.note)
        .where(stored.c.note.contains(f"\n{PREFIX}", autoescape=True))
        .order_by(stored.c.size)
    )
    return notes.all()


class LogKeys:
    """The keys of one log, from those that are *trusted* and from what they signed.

    Trusted keys of another log, which no epoch leads to, count for nothing; which log
    it is, the first one says.
    """

    def __init__(
        self, trusted: Sequence[VerifierKey], approvers: Sequence[VerifierKey] = ()
    ) -> None:
        """Know nothing of changes yet; `learn` does.

        Args:
            approvers: keys of the persons of whom two let an epoch begin.
        """
        self._trusted = tuple(key for key in trusted if key.kind == ED25519)
        self._approvers = tuple(approvers)
        self._links: dict[str, list[_Link]] = {}
        #: Key -> the first and the last size at which it counts.
        self._counts: dict[VerifierKey, tuple[int, int]] = {}
        self._used: list[_Link] = []
        #: Action and request of the events on keys -> the index of the first such one.
        self._events: dict[tuple[Action, str], int] = {}
        self._derive()

    @property
    def present(self) -> tuple[VerifierKey, ...]:
        """The keys that count for what comes next."""
        return tuple(key for key, (_, last) in self._counts.items() if last == MAX_SIZE)

    @property
    def epochs(self) -> tuple[BegunEpoch, ...]:
        """The epochs after the first, in their order."""
        return tuple(
            BegunEpoch(link.size, link.epoch)
            for link in sorted(self._used, key=lambda link: link.size)
            if link.epoch is not None
        )

    @property
    def roots(self) -> dict[int, bytes]:
        """The roots that the approvers of epochs saw, by size: the log must have them."""
        return {
            link.epoch.size: link.epoch.root
            for link in self._used
            if link.epoch is not None and link.epoch.size == link.until
        }

    def learn(self, notes: Iterable[str]) -> None:
        """Take from *notes* what they say of keys; what does not hold says nothing."""
        before = len(self._links)
        for note in notes:
            if f"\n{PREFIX}" in note and note not in self._links:
                links = self._said(note)
                if links:
                    self._links[note] = links
        if len(self._links) != before:
            self._derive()

    def seeing(self, seen: Seen) -> Seen:
        """Give what is told of every event and tells *seen*; the keys need those about them."""
        if not self._used:
            return seen

        def both(index: int, event: Event) -> None:
            if event.action in ON_KEYS:
                self._events.setdefault((event.action, event.request), index)
            seen(index, event)

        return both

    def without_event(self) -> Iterator[tuple[int, str]]:
        """Name the checkpoints that change keys or begin an epoch of which no event tells."""
        for link in self._used:
            action = Action.CHANGE_LOG_KEY if link.epoch is None else Action.NEW_EPOCH
            # What is only carried lost its event with the rest.
            if not link.carried and self._events.get((action, link.event), MAX_SIZE) >= link.size:
                yield link.size, "no event says what it says of keys"

    def open(self, note: str) -> Checkpoint:
        """Read a checkpoint that a key signed which counts at its size.

        Raises:
            NoteInvalid: malformed, or signed by no key of this log.
            LogBroken: the key does not count there, or the note says something of keys
                that does not hold.
        """
        opened = open_note(note, {**self._counts, **dict.fromkeys(self._trusted)})
        checkpoint = Checkpoint.parse(opened.text)
        signed = [key for key in opened.verified if key.name == checkpoint.origin]
        if not signed:
            raise NoteInvalid
        place = f"checkpoint {checkpoint.size}"
        if not any(key in self._counts for key in signed):
            raise LogBroken(place, "it has another log's name, and no approved epoch leads to that")
        if not any(self._count(key, checkpoint.size) for key in signed):
            raise LogBroken(place, "it is signed by a key that does not count at this size")
        for line in checkpoint.extensions:
            if line.startswith(PREFIX) and not self._holds(note, checkpoint.size):
                raise LogBroken(
                    place,
                    "its epoch is not approved by two known approvers"
                    if line.startswith(_EPOCH)
                    else "its change of keys is not signed by both of them",
                )
        return checkpoint

    def _count(self, key: VerifierKey, size: int) -> bool:
        first, last = self._counts.get(key, (1, 0))
        return first <= size <= last

    def _holds(self, note: str, size: int) -> bool:
        """Tell whether what *note* says of keys is so: by itself or, said again, before."""
        return note in self._links and all(
            any(
                (used.old, used.new, used.epoch) == (link.old, link.new, link.epoch)
                and used.size <= size
                for used in self._used
            )
            for link in self._links[note]
        )

    def _said(self, note: str) -> list[_Link]:
        """Read what a note says of keys; nothing unless whoever must have signed it did."""
        try:
            checkpoint = Checkpoint.parse(text_of(note))
            *before, line = [one for one in checkpoint.extensions if one.startswith(PREFIX)]
            kind, _, rest = line.partition(" ")
            if kind == _EPOCH:
                document = _decoded(rest)
                epoch = open_epoch(document, self._approvers)
                event = digest(document)
                link = _Link(epoch.old, epoch.size, epoch.new, checkpoint.size, event, epoch)
                must = {epoch.new}
            elif kind == _CHANGE and not before:
                old, new = (VerifierKey.parse(text) for text in rest.split(" "))
                link = _Link(old, checkpoint.size, new, checkpoint.size, digest(str(new)))
                must = {old, new}
            else:
                return []
            signed = open_note(note, must).verified
            carried = [self._carried(one, link.until) for one in before]
        except (NoteInvalid, ValueError):
            return []
        fits = (
            link.old != link.new
            and all(key.kind == ED25519 and key.name == checkpoint.origin for key in must)
            and set(signed) == must
            and (link.epoch is None or link.until < link.size)
            and all(carried)
        )
        return [*(one for links in carried for one in links), link] if fits else []

    def _carried(self, line: str, size: int) -> list[_Link]:
        """Read a note that the first checkpoint of an epoch carries, which begins at *size*."""
        kind, _, rest = line.partition(" ")
        if kind != _BEFORE:
            raise NoteInvalid
        return [link.upto(size) for link in self._said(_decoded(rest))]

    def _derive(self) -> None:
        """Follow the links from the trusted keys, in both directions, until there is no more."""
        self._counts.clear()
        self._used.clear()
        if self._trusted:
            self._trust(self._trusted[0].name)
        # What stands here counts before what is only carried, and says from where on.
        links = sorted(
            (link for links in self._links.values() for link in links),
            key=lambda link: (link.carried, link.size),
        )
        while any(self._follow(link) for link in links):
            pass

    def _trust(self, name: str) -> None:
        for key in self._trusted:
            if key.name == name:
                self._counts.setdefault(key, (0, MAX_SIZE))

    def _follow(self, link: _Link) -> bool:
        """Take one link over, if it leads on from a key that counts; tell whether it did."""
        if link in self._used:
            return False
        old, new = self._counts.get(link.old), self._counts.get(link.new)
        if old is None and new is None:
            return False
        # A key is followed once, and follows once: whoever stole an old one begins nothing.
        if any(used.old == link.old or used.new == link.new for used in self._used):
            return False
        first = 0 if old is None else old[0]
        last = MAX_SIZE if new is None else new[1]
        if first > link.until or last < link.size:
            return False
        self._trust(link.old.name)
        self._trust(link.new.name)
        self._counts[link.old] = (first, link.until)
        self._counts[link.new] = (link.size, last)
        self._used.append(link)
        return True


def _decoded(text: str) -> str:
    return strict_base64(text).decode("utf-8")
