"""A statement as PDF: tagged, with its own fonts, and fetching nothing from anywhere. The same statement gives the same bytes."""

from __future__ import annotations

import logging
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from payouts.exports.statement_page import page_of
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from payouts.models import Statement

CONTENT_TYPE = "application/pdf"
# Fonts are loaded into one configuration, which is not made for several threads at once.
_one_at_a_time = threading.Lock()
# They tell every step of every document, which is of no use to whoever reads our log.
for _chatty in ("weasyprint", "weasyprint.progress", "fontTools"):
    logging.getLogger(_chatty).setLevel(logging.ERROR)


class PdfNotPossible(Refused):
    message = _(
        "PDF files cannot be made on this server: the Pango libraries are missing. CSV and XLSX work."
    )


class FetchesFromElsewhere(RuntimeError):
    """A template asks for something that is not ours; this is a fault of ours."""


def is_possible() -> bool:
    """Tell whether this machine has what drawing a PDF needs."""
    try:
        _press()
    except PdfNotPossible:
        return False
    return True


def render(statement: Statement) -> bytes:
    """Return the document, in the partner's language as it was when the statement was issued.

    Raises: PdfNotPossible.
    """
    press = _press()
    with translation.override(statement.language):
        page = page_of(statement)
        html = render_to_string("documents/statement.html", {"page": page})
    with _one_at_a_time:
        return press.draw(html, identifier=statement.sha256[:32].encode())


def draw(html: str, *, identifier: bytes, variant: str, style: str) -> bytes:
    """Return another document of ours, with the fonts and the closed doors of the statement's and one more style sheet.

    Raises: PdfNotPossible.
    """
    press = _press()
    with _one_at_a_time:
        return press.draw(html, identifier=identifier, variant=variant, style=style)


def file_name(statement: Statement) -> str:
    return f"{statement.number}.pdf"


class _Press:
    """WeasyPrint with our style sheet and fonts, read once."""

    def __init__(self) -> None:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration

        self._weasyprint = weasyprint
        self._fetcher = _closed_fetcher()
        # Without the same configuration in both places the fonts are silently replaced.
        self._fonts = FontConfiguration()
        self._style = weasyprint.CSS(
            filename=_static("documents/statement.css"), font_config=self._fonts, url_fetcher=self._fetcher
        )

    def draw(self, html: str, *, identifier: bytes, variant: str = "pdf/ua-1", style: str = "") -> bytes:
        document = self._weasyprint.HTML(string=html, url_fetcher=self._fetcher)
        more = [self._weasyprint.CSS(filename=_static(style), url_fetcher=self._fetcher)] if style else []
        try:
            drawn: bytes = document.write_pdf(
                stylesheets=[self._style, *more],
                font_config=self._fonts,
                pdf_variant=variant,
                pdf_identifier=identifier,
            )
        except self._weasyprint.urls.FatalURLFetchingError as error:
            # It is no ordinary exception, and would end a worker instead of its task.
            raise FetchesFromElsewhere(str(error)) from error
        return drawn


@lru_cache(maxsize=1)
def _press() -> _Press:
    try:
        return _Press()
    except OSError as error:
        raise PdfNotPossible from error


def _static(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return found


def _closed_fetcher() -> Any:
    """Return a fetcher that gives our own fonts and pictures inside the document, and refuses everything else."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class ClosedFetcher(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith("data:"):
                return super().fetch(url, headers)
            if url.startswith("asset:"):
                name = url.removeprefix("asset:").lstrip("/")
                return URLFetcherResponse(url, Path(_static(f"prm/{name}")).read_bytes())
            raise FatalURLFetchingError(f"A document may not fetch {url[:80]}.")

    return ClosedFetcher(allowed_protocols=("data", "asset"), allow_redirects=False, fail_on_errors=True)
