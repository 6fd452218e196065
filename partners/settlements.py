"""Know what happens to the money of a membership that is suspended or ends. Who keeps the books says it; nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from partners.models import Membership

Settlement = Callable[[Membership, str, datetime], list[str]]
_settlements: list[Settlement] = []


def learn_settlement(reader: Settlement) -> None:
    """Let those who keep the books say what happens to a membership's money when it is suspended or ends.

    The reader is told the membership, `suspended` or the kind of end, and the moment; it answers with sentences in the language in
    force.
    """
    if reader not in _settlements:
        _settlements.append(reader)


def settlement(membership: Membership, what: str, *, at: datetime) -> list[str]:
    """Return what happens to the money of a membership, in sentences."""
    return [sentence for reader in _settlements for sentence in reader(membership, what, at)]
