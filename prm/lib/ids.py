"""Names for rows that leave the house: a prefix and a ULID in lower case. Later ids sort after earlier ones to the millisecond,
and 80 random bits make them impossible to guess."""

import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)  # two characters at a time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_000  # the last second a datetime can say; ids go on for another thousand years
_SHAPE = re.compile(r"[a-z]{2,8}_[0-7][0-9a-hjkmnp-tv-z]{25}")


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def ulid(
    *, clock: Callable[[], int] = _milliseconds, randomness: Callable[[int], int] = secrets.randbits
) -> str:
    """Return 26 characters: 48 bits of `clock` in milliseconds, then 80 bits of randomness."""
    value = (clock() << 80) | randomness(80)
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def instant_of(ulid: str) -> datetime:
    """Return when an id was made, to the millisecond."""
    value = 0
    for sign in ulid[:10]:
        value = value * 32 + _ALPHABET.index(sign)
    return _EPOCH + timedelta(milliseconds=min(value, _LAST))


def public_id(prefix: str, *, clock: Callable[[], int] = _milliseconds) -> str:
    """Return a new public id such as `pay_01k9…`."""
    return f"{prefix}_{ulid(clock=clock)}"


def is_public_id(text: str, prefix: str) -> bool:
    """Tell whether `text` has the shape of a public id with this prefix."""
    return text.startswith(f"{prefix}_") and _SHAPE.fullmatch(text) is not None
