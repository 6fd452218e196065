"""A click on its way to the database: what it says, as one line of a stream, and back. A line that does not say what a click says is refused
here, so that whatever comes out can be written.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from referrals.choices import ClickKind
from referrals.models import Click

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ULID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_KINDS = frozenset(ClickKind.values)
_MICROSECOND = timedelta(microseconds=1)
_LATEST = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


class Unreadable(ValueError):
    """A line that is no click."""


class Hit(NamedTuple):
    """A row of clicks before it is one; the instant is in microseconds since 1970."""

    click_id: str
    kind: str
    link_id: int
    micros: int
    visitor: str = ""
    referrer_host: str = ""
    sub_id: str = ""
    sub2: str = ""
    sub3: str = ""
    sub4: str = ""
    sub5: str = ""
    campaign: str = ""
    country: str = ""
    ad_parameter: str = ""
    address_hash: str = ""
    agent_hash: str = ""

    @property
    def clicked_at(self) -> datetime:
        return _EPOCH + self.micros * _MICROSECOND

    def encode(self) -> bytes:
        """Return the click as one line."""
        return json.dumps(self, separators=(",", ":")).encode()


TEXTS = (
    "visitor",
    "referrer_host",
    "sub_id",
    "sub2",
    "sub3",
    "sub4",
    "sub5",
    "campaign",
    "country",
    "ad_parameter",
    "address_hash",
    "agent_hash",
)
COLUMNS = ("click_id", "kind", "link_id", "clicked_at", *TEXTS)
_LONGEST = tuple(getattr(Click._meta.get_field(name), "max_length", 0) for name in TEXTS)


def micros_of(at: datetime) -> int:
    """Return an instant in microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def decode(line: bytes) -> Hit:
    """Return the click a line tells of.

    Raises: Unreadable.
    """
    try:
        said = json.loads(line)
    except ValueError as error:
        raise Unreadable("it is no JSON") from error
    if not isinstance(said, list) or len(said) != len(Hit._fields):
        raise Unreadable("it has other columns")
    click_id, kind, link_id, micros, *texts = said
    if not isinstance(click_id, str) or not _ULID.fullmatch(click_id) or kind not in _KINDS:
        raise Unreadable("its id or kind is none of ours")
    if (
        type(link_id) is not int
        or not 0 < link_id < 2**63
        or type(micros) is not int
        or not 0 < micros < _LATEST
    ):
        raise Unreadable("its link or instant is none")
    for text, longest in zip(texts, _LONGEST, strict=True):
        if not isinstance(text, str) or len(text) > longest or "\0" in text:
            raise Unreadable("a text of it does not fit")
    return Hit(click_id, kind, link_id, micros, *texts)


def is_click_id(text: str) -> bool:
    """Say whether a text has the shape of our click ids."""
    return _ULID.fullmatch(text) is not None
