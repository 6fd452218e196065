"""A statement as PDF, in the partner's language. The same statement gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils import translation

from payouts.exports.statement_page import page_of
from prm.documents import CONTENT_TYPE, PdfNotPossible, draw, is_possible

if TYPE_CHECKING:
    from payouts.models import Statement

__all__ = ["CONTENT_TYPE", "PdfNotPossible", "draw", "file_name", "is_possible", "render"]


def render(statement: Statement) -> bytes:
    """Return the document, in the partner's language as it was when the statement was issued.

    Raises: PdfNotPossible.
    """
    with translation.override(statement.language):
        page = page_of(statement)
        html = render_to_string("documents/statement.html", {"page": page})
    return draw(html, identifier=statement.sha256[:32].encode())


def file_name(statement: Statement) -> str:
    return f"{statement.number}.pdf"
