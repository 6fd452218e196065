"""Take a file that somebody uploads as evidence, and hand it out again. What it is is told by its content and never by its name, it is kept
under a name of ours where no address leads, and it leaves only as an attachment, by a view that has asked who is asking."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

from django.core.files import File
from django.db.models.fields.files import FieldFile
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _

from prm.lib import uploads
from prm.lib.errors import Refused

LARGEST = 10 * 1024 * 1024
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.txt,.csv"
_FOLDER = "evidence"
_SIGNATURES = (
    (b"%PDF-", "pdf", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
)
_TYPES = {extension: mime for _start, extension, mime in _SIGNATURES} | {
    "txt": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}


class BadEvidence(Refused):
    message = _("This file cannot be taken.")
    field = "evidence"


class EvidenceTooLarge(BadEvidence):
    message = _("The file has more than 10 MB.")


class EvidenceEmpty(BadEvidence):
    message = _("The file is empty.")


class EvidenceOfAnotherKind(BadEvidence):
    message = _("Only PDF, PNG, JPEG, text and CSV files are taken; this one is something else.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that was looked at: its content, what it is, and the name people know it by."""

    name: str
    extension: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def checked(given: File[bytes]) -> Evidence:
    """Look at an uploaded file and return it.

    Raises: EvidenceTooLarge, EvidenceEmpty, EvidenceOfAnotherKind.
    """
    given.seek(0)
    content = given.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise EvidenceTooLarge
    if not content:
        raise EvidenceEmpty
    name = given.name or ""
    extension = _kind_of(content, name)
    if not extension:
        raise EvidenceOfAnotherKind
    return Evidence(uploads.plain_name(name, extension, otherwise=_FOLDER), extension, content)


def keep(evidence: Evidence) -> str:
    """Store a file where no address leads and return its name there, for a row's `evidence`."""
    return uploads.keep(_FOLDER, evidence.content, evidence.extension)


def discard(place: str) -> None:
    """Take back a file whose row was not written."""
    uploads.discard(place)


def attachment(stored: FieldFile, name: str) -> FileResponse:
    """Return a stored file as a download; the caller has asked who is asking.

    Raises: Http404 when the row has no file, or its file is gone.
    """
    extension = PurePath(stored.name or "").suffix if stored else ""
    return uploads.attachment(stored, name or f"evidence{extension}", types=_TYPES)


def _kind_of(content: bytes, name: str) -> str:
    """Return the extension of what the content is, nothing for what is not taken."""
    for start, extension, _mime in _SIGNATURES:
        if content.startswith(start):
            return extension
    if not _is_text(content):
        return ""
    return "csv" if PurePath(name).suffix.lower() == ".csv" else "txt"


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(each) == "Cc" and each not in "\t\r\n" for each in set(text))
