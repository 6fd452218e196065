"""What differs between two texts, word by word, and between two versions of terms, section by section. It is pure: a text that
did not change comes back whole, and both texts can be read off the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME, GONE, NEW = "same", "gone", "new"
_WORDS = re.compile(r"\n+|[^\S\n]+|[^\s]+")
LONGEST = 6000  # words; above it the comparison is made paragraph by paragraph, which costs less


@dataclass(frozen=True)
class Piece:
    """A run of words that stayed, went or came."""

    kind: str
    text: str


@dataclass(frozen=True)
class SectionDifference:
    """A section in two versions: its heading and its pieces in the order they are read."""

    key: str
    heading: str
    pieces: tuple[Piece, ...]

    @property
    def is_changed(self) -> bool:
        """Say whether anything differs."""
        return any(piece.kind != SAME for piece in self.pieces)


class Difference(tuple[SectionDifference, ...]):
    """All sections of two versions beside each other."""

    __slots__ = ()

    @property
    def changed(self) -> list[SectionDifference]:
        """Return the sections that say something else."""
        return [each for each in self if each.is_changed]


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Return both texts as one row of pieces; joined without what is new it is `before`, without what is gone `after`."""
    old, new = _parts(before), _parts(after)
    if max(len(old), len(new)) > LONGEST:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found: list[Piece] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Piece(SAME, "".join(old[a:b])))
            continue
        if a < b:
            found.append(Piece(GONE, "".join(old[a:b])))
        if c < d:
            found.append(Piece(NEW, "".join(new[c:d])))
    return tuple(_joined(found))


def sections(before: Iterable[tuple[str, str, str]], after: Iterable[tuple[str, str, str]]) -> Difference:
    """Return each section, given as key, heading and text of the earlier and of the later version."""
    old = {key: text for key, _heading, text in before}
    return Difference(
        SectionDifference(key, heading, words(_tidy(old.get(key, "")), _tidy(text)))
        for key, heading, text in after
    )


def _tidy(text: str) -> str:
    # Browsers send another line break than files hold; that is no change of the terms.
    return text.replace("\r\n", "\n").strip()


def _parts(text: str) -> list[str]:
    return _WORDS.findall(text)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Take a single space between two changes into both, so that a changed phrase reads as one."""
    found = list(pieces)
    position = 1
    while position < len(found) - 1:
        middle = found[position]
        if middle.kind == SAME and middle.text.isspace() and "\n" not in middle.text:
            found[position : position + 1] = [Piece(GONE, middle.text), Piece(NEW, middle.text)]
        position += 1
    return _gathered(found)


def _gathered(pieces: list[Piece]) -> list[Piece]:
    """Put what went before what came within each stretch of changes."""
    found: list[Piece] = []
    gone, new = "", ""
    for piece in [*pieces, Piece(SAME, "")]:
        if piece.kind == GONE:
            gone += piece.text
        elif piece.kind == NEW:
            new += piece.text
        else:
            found += [Piece(GONE, gone)] * bool(gone) + [Piece(NEW, new)] * bool(new)
            found += [piece] * bool(piece.text)
            gone, new = "", ""
    return found
