"""Keep the files of sales that people upload, between looking at one and recording it. They lie under random names where no address
leads, and are thrown away after a week: whatever a shop writes about its buyers stays no longer than it is needed."""

from __future__ import annotations

import csv
import hashlib
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, BinaryIO, cast

from django.core import signing
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from prm.accounts.models import User
from prm.lib.cells import formula_safe
from prm.lib.errors import Refused
from prm.lib.ids import ulid
from referrals.sales_files import RowError

FOLDER = "imports"
FAULTS = "imports/faults"
KEPT_FOR = timedelta(days=7)
FAULTS_KEPT = 100_000
_SALT = "referrals.import.draft"


class FileGone(Refused):
    """The file was thrown away, or never was."""

    message = _("The file is not here any more: files are kept for a week. Upload it again.")
    field = "file"


def keep(upload: File) -> tuple[str, str]:
    """Store an upload and return its name in the storage and its SHA-256."""
    digest = hashlib.sha256()
    for piece in upload.chunks():
        digest.update(piece)
    upload.seek(0)
    return default_storage.save(f"{FOLDER}/{ulid()}.csv", upload), digest.hexdigest()


def opened(stored: str) -> BinaryIO:
    """Return a stored file, from its start.

    Raises: FileGone.
    """
    try:
        return binary(default_storage.open(stored, "rb"))
    except FileNotFoundError:
        raise FileGone from None


def binary(upload: File) -> BinaryIO:
    """Return the file of an upload, for reading from its start."""
    upload.open("rb")
    return cast(BinaryIO, upload.file)


def ticket(*, stored: str, sha256: str, name: str, source: str, by: User) -> str:
    """Return what the pages that follow know an uploaded file by; it opens for the person who uploaded it."""
    told = {"stored": stored, "sha256": sha256, "name": name[-100:], "source": source, "by": by.pk}
    return signing.dumps(told, salt=_SALT, compress=True)


def of_ticket(text: str, *, by: User) -> dict[str, str] | None:
    """Return what a ticket stands for, None when it is not this person's or too old."""
    try:
        told = signing.loads(text, salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    return told if told.pop("by", None) == by.pk else None


def discard(stored: str) -> None:
    """Throw a file away; nothing happens when it is gone already."""
    default_storage.delete(stored)


def purge(*, at: datetime) -> int:
    """Throw away what is older than a week, and return how many files that were."""
    gone = 0
    for folder in (FOLDER, FAULTS):
        try:
            _folders, names = default_storage.listdir(folder)
        except FileNotFoundError:
            continue
        for name in names:
            place = f"{folder}/{name}"
            if default_storage.get_modified_time(place) < at - KEPT_FOR:
                default_storage.delete(place)
                gone += 1
    return gone


class FaultFile:
    """Every fault of an import as CSV, written while it goes on; no cell is taken for a formula."""

    def __init__(self) -> None:
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8-sig", newline="")  # noqa: SIM115
        self._writer = csv.writer(self._file)
        self._writer.writerow(("line", "column", "code", "message"))
        self.count = 0

    def add(self, fault: RowError) -> None:
        """Write a fault down; beyond a hundred thousand they are only counted."""
        self.count += 1
        if self.count <= FAULTS_KEPT:
            cells = (fault.column, fault.code, fault.message)
            self._writer.writerow((fault.line, *map(formula_safe, cells)))

    def store(self, name: str) -> str:
        """Put the file into the storage under `name` and return where it is; nothing when there was no fault."""
        if not self.count:
            return ""
        place = f"{FAULTS}/{name}.csv"
        default_storage.delete(place)
        return default_storage.save(place, File(self._bytes()))

    def write_to(self, path: Path) -> None:
        """Write the file to `path`, the header alone when there was no fault."""
        with path.open("wb") as target:
            shutil.copyfileobj(self._bytes(), target)

    def _bytes(self) -> BinaryIO:
        self._file.flush()
        raw: BinaryIO = self._file.buffer  # type: ignore[attr-defined]
        raw.seek(0)
        return raw
