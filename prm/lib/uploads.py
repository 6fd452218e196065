"""Keep files that people upload, and hand them out again. They lie under a random name where no address leads, and leave only as an
attachment of a type we chose, which no browser runs."""

from __future__ import annotations

import io
import secrets
import unicodedata
from pathlib import PurePath

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404

LONGEST_NAME = 120


def keep(folder: str, content: bytes, extension: str) -> str:
    """Store a file and return its name in the storage, for a row to remember."""
    return default_storage.save(f"{folder}/{secrets.token_hex(16)}.{extension}", ContentFile(content))


def discard(place: str) -> None:
    """Take a file out of the storage; nothing happens when it is gone already."""
    default_storage.delete(place)


def attachment(stored: FieldFile, name: str, *, types: dict[str, str]) -> FileResponse:
    """Return a stored file as a download, by its extension as one of `types`; the caller has asked who is asking.

    Raises: Http404 when the row has no file, or its file is gone.
    """
    if not stored or not stored.name:
        raise Http404
    try:
        with stored.storage.open(stored.name, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise Http404 from error
    extension = PurePath(stored.name).suffix.lstrip(".")
    response = FileResponse(
        io.BytesIO(content),
        as_attachment=True,
        filename=name,
        content_type=types.get(extension, "application/octet-stream"),
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


def plain_name(name: str, extension: str, *, otherwise: str) -> str:
    """Return the last part of the name without characters nobody sees, ending as the content demands."""
    stem = PurePath(name.replace("\\", "/")).stem
    seen = "".join(
        each for each in unicodedata.normalize("NFC", stem) if unicodedata.category(each)[0] != "C"
    )
    stem = " ".join(seen.split()) or otherwise
    return f"{stem[: LONGEST_NAME - len(extension) - 1]}.{extension}"
