"""What a paper says, before it is set: text only, of which nothing is ever read as markup."""

from dataclasses import dataclass, field
from typing import TypeAlias

from api.vocabulary import Language


@dataclass(frozen=True, slots=True)
class Section:
    """The heading of what follows."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prose:
    """Text; a line break in it begins another paragraph."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        head: what each column holds; a screen reader says it with each cell.
        rows: each as long as `head`.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a row with more or fewer cells: they would slip into others."""
        if not self.head or any(len(row) != len(self.head) for row in self.rows):
            raise ValueError("a row has as many cells as the head")


Block: TypeAlias = Section | Prose | Grid


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper.

    Attributes:
        language: the PDF says it, so that a screen reader speaks it.
        page: the word before the number of a page.
        foot: what stands at the foot of each page; a screen reader passes over it, so what
            matters of it stands in `blocks`, too.
    """

    language: Language
    title: str
    page: str
    foot: tuple[str, ...] = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)
