"""What a check of the books reports when two things that should be equal are not. A finding is told, never repaired."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree: which check, about what, and the two figures."""

    check: str
    about: str
    expected: str
    found: str
