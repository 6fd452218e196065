"""The sentence that stands above every application form: what the program pays, made from the plan in force. Who can make it says so
here once; without anybody the form stands without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tiers.models import Program

Reader = Callable[[Program, datetime], str]
_readers: list[Reader] = []


def learn_sentence(reader: Reader) -> None:
    """Let `reader` say what a program pays, in the language in force."""
    _readers[:] = [reader]


def sentence(program: Program, *, at: datetime) -> str:
    """Return what a program pays in one sentence; empty when it pays nothing yet."""
    return _readers[0](program, at) if _readers else ""
