"""Which draft a visitor's browser goes on with. The session holds the draft's word and nothing that was answered."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from partners import drafts
from partners.models import Application
from tiers.models import Program


def hold(request: HttpRequest, program: Program, word: str) -> None:
    """Let this browser go on with the draft that `word` opens."""
    request.session[_key(program)] = {"word": word}


def word(request: HttpRequest, program: Program) -> str:
    """Return the word this browser holds, nothing when it holds none."""
    return str(_kept(request, program).get("word", ""))


def draft(request: HttpRequest, program: Program) -> Application | None:
    """Return the draft this browser goes on with."""
    held = word(request, program)
    found = drafts.find(held) if held else None
    return found if found is not None and found.program_id == program.pk else None


def spring_trap(request: HttpRequest, program: Program) -> None:
    """Remember that what fills in this form is no person."""
    request.session[_key(program)] = {**_kept(request, program), "trap": True}


def is_trapped(request: HttpRequest, program: Program) -> bool:
    """Tell whether what fills in this form is no person."""
    return bool(_kept(request, program).get("trap"))


def let_go(request: HttpRequest, program: Program) -> None:
    """Forget the draft: it was sent."""
    request.session.pop(_key(program), None)


def _kept(request: HttpRequest, program: Program) -> dict[str, Any]:
    kept: dict[str, Any] = request.session.get(_key(program)) or {}
    return kept


def _key(program: Program) -> str:
    return f"draft:{program.pk}"
