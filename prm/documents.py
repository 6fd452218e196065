"""Draw our documents as PDF and keep them: tagged, with our own fonts, and fetching nothing from anywhere. The same page gives the same
bytes, and what is served is what was stored."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused

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


class DocumentDamaged(Refused):
    message = _("The stored document does not match what was issued. It is not shown; please tell us.")


class FetchesFromElsewhere(RuntimeError):
    """A template asks for something that is not ours; this is a fault of ours."""


class Kept(Protocol):
    """A row that keeps its document: the columns `pdf` and `pdf_sha256`."""

    pk: Any
    pdf: Any
    pdf_sha256: str

    def refresh_from_db(self, *, fields: list[str]) -> None: ...


def is_possible() -> bool:
    """Tell whether this machine has what drawing a PDF needs."""
    try:
        _press()
    except PdfNotPossible:
        return False
    return True


@lru_cache(maxsize=1)
def is_likely() -> bool:
    """Tell whether the libraries a PDF needs are there, without loading what draws it, which takes seconds the first time.

    For pages that only offer a PDF; where it is asked for, `is_possible` knows for certain.
    """
    names = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0")
    try:
        for name in names:
            ctypes.CDLL(name)
    except OSError:
        return is_possible()  # elsewhere than on Linux they have other names
    return True


def draw(html: str, *, identifier: bytes, variant: str = "pdf/ua-1", style: str = "") -> bytes:
    """Return a page of ours as PDF; `style` names one more style sheet beside the one all documents have.

    Raises: PdfNotPossible.
    """
    press = _press()
    with _one_at_a_time:
        return press.draw(html, identifier=identifier, variant=variant, style=style)


def keep(row: Kept, *, name: str, draw: Callable[[], bytes]) -> None:
    """Store what `draw` gives as the row's PDF, unless one is stored; of several workers the first counts."""
    if row.pdf_sha256:
        return
    content = draw()
    stored = default_storage.save(name, ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    waiting = type(row).objects.filter(pk=row.pk, pdf_sha256="")  # type: ignore[attr-defined]
    if not waiting.update(pdf=stored, pdf_sha256=digest):
        # Another worker was faster; its file is the one that counts.
        default_storage.delete(stored)
    row.refresh_from_db(fields=["pdf", "pdf_sha256"])


def read(row: Kept) -> bytes:
    """Return the PDF that is stored for a row, if it is still what was stored.

    Raises: DocumentDamaged.
    """
    try:
        with default_storage.open(str(row.pdf.name)) as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise DocumentDamaged from error
    if hashlib.sha256(content).hexdigest() != row.pdf_sha256:
        raise DocumentDamaged
    return content


class _Press:
    """WeasyPrint with our style sheet and fonts, read once."""

    def __init__(self) -> None:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration

        self._weasyprint = weasyprint
        self._fetcher = closed_fetcher()
        # Without the same configuration in both places the fonts are silently replaced.
        self._fonts = FontConfiguration()
        self._style = weasyprint.CSS(
            filename=static_path("documents/statement.css"),
            font_config=self._fonts,
            url_fetcher=self._fetcher,
        )

    def draw(self, html: str, *, identifier: bytes, variant: str, style: str) -> bytes:
        document = self._weasyprint.HTML(string=html, url_fetcher=self._fetcher)
        more = [self._weasyprint.CSS(filename=static_path(style), url_fetcher=self._fetcher)] if style else []
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


def static_path(name: str) -> str:
    """Return where a static file of ours lies on the disk."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return found


def closed_fetcher() -> Any:
    """Return a fetcher that gives our own fonts and pictures inside the document, and refuses everything else."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class ClosedFetcher(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith("data:"):
                return super().fetch(url, headers)
            if url.startswith("asset:"):
                name = url.removeprefix("asset:").lstrip("/")
                return URLFetcherResponse(url, Path(static_path(f"prm/{name}")).read_bytes())
            raise FatalURLFetchingError(f"A document may not fetch {url[:80]}.")

    return ClosedFetcher(allowed_protocols=("data", "asset"), allow_redirects=False, fail_on_errors=True)
