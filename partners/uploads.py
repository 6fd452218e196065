"""Take the files an applicant gives. What a file is is told by its content and never by its name; pictures are drawn anew, so nothing
that hides in them is kept."""

from __future__ import annotations

import hashlib
import io
import struct
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, cast

from django import forms
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import FileResponse
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageFile, ImageOps

from partners.application_forms.definition import MOST_FILES
from partners.application_forms.fields import FilesField
from partners.choices import ApplicationState
from partners.models import Application, ApplicationFile
from prm.lib import uploads
from prm.lib.errors import Refused

LARGEST = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.webp"
_FOLDER = "applications"
_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
_PDF_END_WITHIN = 2048  # bytes after which a PDF's last mark may not be followed by anything
# Image libraries answer a broken picture in many ways.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    struct.error,
    Image.DecompressionBombError,
)


class BadFile(Refused):
    message = _("This file cannot be taken.")
    field = "file"


class FileTooLarge(BadFile):
    message = _("The file has more than 10 MB. Make it smaller, or send a link to it.")


class FileEmpty(BadFile):
    message = _("The file is empty. Choose another one.")


class FileOfAnotherKind(BadFile):
    message = _("Only PDF, PNG, JPEG and WebP files are taken; this one is something else.")


class FileBroken(BadFile):
    message = _(
        "The file begins like one of the kinds we take, but it cannot be read. Save it again and retry."
    )


class TooManyPixels(BadFile):
    message = _("The picture has more than 25 million pixels. Make it smaller.")


class SeveralPictures(BadFile):
    message = _("The file holds several pictures. Send one that does not move.")


class BadName(BadFile):
    message = _(
        "The file's name holds a folder or invisible characters. Rename the file and choose it again."
    )


class TooManyFiles(BadFile):
    message = _("Three files are the most. Take one away first.")


class AlreadySent(Refused):
    message = _("This application has been sent; its answers stay as they are.")


_DRAWING = _("Drawings of this kind can carry programs. Save it as PNG or PDF.")
_ARCHIVE = _("Archives and office documents are not taken. Save it as PDF.")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was looked at: the name people know it by, what it is, and what is kept of it."""

    name: str
    kind: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def checked(given: File[bytes], *, field: str = "file") -> Upload:
    """Look at an uploaded file and return what is kept of it.

    Raises: BadName, FileEmpty, FileTooLarge, FileOfAnotherKind, FileBroken, TooManyPixels, SeveralPictures.
    """
    try:
        return _checked(given)
    except BadFile as refusal:
        refusal.field = field
        raise


def looked_at(form: forms.Form, files: MultiValueDict[str, UploadedFile[Any]]) -> dict[str, list[Upload]]:
    """Look at every file a form was given, by its question; what is wrong with one stands at that question."""
    found: dict[str, list[Upload]] = {}
    for name, field in form.fields.items():
        for file in files.getlist(name) if isinstance(field, FilesField) else ():
            try:
                found.setdefault(name, []).append(checked(file, field=name))
            except BadFile as refusal:
                form.add_error(name, _("%(name)s: %(problem)s") % {"name": file.name, "problem": refusal})
    return found


@transaction.atomic
def attach(application: Application, field_key: str, upload: Upload, at: datetime) -> ApplicationFile:
    """Keep a file with a draft, as an answer to the question `field_key`.

    Raises: AlreadySent, TooManyFiles.
    """
    locked = _draft(application)
    if locked.files.count() >= MOST_FILES:
        raise TooManyFiles(field=field_key)
    place = uploads.keep(_FOLDER, upload.content, upload.kind)
    try:
        return ApplicationFile.objects.create(
            application=locked,
            field_key=field_key,
            name=upload.name,
            kind=upload.kind,
            size=len(upload.content),
            sha256=upload.sha256,
            file=place,
            added_at=at,
        )
    except BaseException:
        uploads.discard(place)
        raise


@transaction.atomic
def remove(file: ApplicationFile) -> None:
    """Take a file out of a draft again.

    Raises: AlreadySent.
    """
    _draft(file.application)
    found = ApplicationFile.objects.filter(pk=file.pk).first()
    if found is not None:
        _drop(found)


def drop_all(application: Application) -> None:
    """Take every file of an application out of the storage once the transaction has committed."""
    for file in application.files.all():
        _drop(file)


def attachment(file: ApplicationFile) -> FileResponse:
    """Return a file as a download; the caller has asked who is asking."""
    return uploads.attachment(file.file, file.name, types=_TYPES)


def _draft(application: Application) -> Application:
    locked = Application.objects.lock().filter(pk=application.pk).first()
    if locked is None or locked.state != ApplicationState.DRAFT:
        raise AlreadySent
    return locked


def _drop(file: ApplicationFile) -> None:
    place = cast(str, file.file.name)
    file.delete()
    transaction.on_commit(partial(uploads.discard, place))


def _checked(given: File[bytes]) -> Upload:
    name = given.name or ""
    _refuse_name(name)
    given.seek(0)
    content = given.read(LARGEST + 1)
    if not content:
        raise FileEmpty
    if len(content) > LARGEST:
        raise FileTooLarge
    kind = _kind_of(content)
    if kind == "pdf":
        if b"%%EOF" not in content[-_PDF_END_WITHIN:]:
            raise FileBroken
    elif kind:
        content = _redrawn(content, kind)
    else:
        raise FileOfAnotherKind(_hint(content))
    return Upload(uploads.plain_name(name, kind, otherwise="file"), kind, content)


def _refuse_name(name: str) -> None:
    if "/" in name or "\\" in name or any(unicodedata.category(each)[0] == "C" for each in name):
        raise BadName


def _kind_of(content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return ""


def _hint(content: bytes) -> str | Promise | None:
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return _DRAWING
    if start.startswith((b"pk\x03\x04", b"pk\x05\x06", b"\xd0\xcf\x11\xe0", b"rar!", b"7z\xbc\xaf")):
        return _ARCHIVE
    return None


def _redrawn(content: bytes, kind: str) -> bytes:
    """Return the picture alone: no notes about camera and place, nothing behind its end."""
    # What draws PDFs lets pictures end early, for the whole process; half a picture is none here.
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMATS[kind]]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise TooManyPixels
            if getattr(picture, "n_frames", 1) != 1:
                raise SeveralPictures
            upright = ImageOps.exif_transpose(picture)
            drawn = upright.convert(_mode(upright, kind))
            drawn.info = {}
            out = io.BytesIO()
            drawn.save(out, format=_FORMATS[kind], **({} if kind == "png" else {"quality": 90}))
    except Image.DecompressionBombWarning as error:
        raise TooManyPixels from error
    except _BROKEN as error:
        if isinstance(error, Image.DecompressionBombError):
            raise TooManyPixels from error
        raise FileBroken from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient
    return out.getvalue()


def _mode(picture: Image.Image, kind: str) -> str:
    if kind != "jpg" and picture.has_transparency_data:
        return "RGBA"
    return "L" if picture.mode in ("1", "L") else "RGB"
