"""Hand a person the data that is kept about them, and an owner the partner's too: a ZIP of JSON and CSV files with a list of what is in it.
Each part of the product names what it keeps; a test finds whatever nobody named."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from partners.models import Member, Partner
from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.audit.models import AuditEvent
from prm.lib.cells import formula_safe
from prm.lib.db import as_of_one_moment
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

CHUNK = 1000
IN_MEMORY = 1024 * 1024
MOST_IN_AN_HOUR = 3
ACTION = "personal_data.exported"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """Whose data it is: a person by account or mailbox, and the partners whose data they may have."""

    user: User | None
    mailbox: str
    partners: tuple[int, ...] = ()


@dataclass(frozen=True)
class Section:
    """One table of the archive; `covers` names the models whose rows it tells."""

    name: str
    read: Callable[[Subject], Iterable[Row]]
    covers: tuple[str, ...]


Files = Callable[[Subject], Iterator[tuple[str, IO[bytes]]]]
_sections: dict[str, Section] = {}
_files: list[Files] = []


class TooOften(Refused):
    message = _("This archive was made %(most)s times within the last hour. Try again later.")


def learn_section(name: str, read: Callable[[Subject], Iterable[Row]], *, covers: Iterable[str]) -> None:
    """Put what `read` answers into the archive, as `name`.json and `name`.csv."""
    _sections[name] = Section(name, read, tuple(covers))


def learn_files(read: Files) -> None:
    """Put files people gave us into the archive; `read` answers with name and open file of each."""
    if read not in _files:
        _files.append(read)


def sections() -> list[Section]:
    """Return what is in an archive, in the order of the names."""
    return [_sections[name] for name in sorted(_sections)]


def rows(found: QuerySet[Any], **columns: str) -> Iterator[Row]:
    """Yield each row with the columns named: the word in the file, and where the value is read."""
    words, paths = list(columns), list(columns.values())
    for values in found.order_by("pk").values_list(*paths).iterator(chunk_size=CHUNK):
        yield dict(zip(words, values, strict=True))


def subject_of(user: User) -> Subject:
    """Return a person with the partners whose owner they are."""
    owned = Member.objects.current().filter(user=user, role=TeamRole.OWNER)
    return Subject(user, user.email_folded, tuple(owned.values_list("partner_id", flat=True)))


def partners_of(subject: Subject) -> QuerySet[Partner]:
    """Return the partners whose data is in the archive."""
    return Partner.objects.filter(pk__in=subject.partners)


def export_for(user: User, *, by: User, at: datetime) -> IO[bytes]:
    """Return the archive of `user`, made for themselves or on their request by staff.

    Raises: Forbidden, TooOften.
    """
    if user.pk != by.pk:
        policy.require(by, "erase_people")
    since = AuditEvent.objects.filter(
        action=ACTION, object_type=user._meta.label_lower, object_pk=str(user.pk)
    )
    if since.filter(at__gt=at - timedelta(hours=1)).count() >= MOST_IN_AN_HOUR:
        raise TooOften(params={"most": MOST_IN_AN_HOUR})
    audit.record(by, ACTION, user, at=at)
    return archive(subject_of(user), at=at)


def export_for_mailbox(mailbox: str, *, by: User, at: datetime) -> IO[bytes]:
    """Return the archive of somebody without an account, on their request. Raises: Forbidden."""
    policy.require(by, "erase_people")
    audit.record(by, ACTION, None, at=at)
    return archive(Subject(None, fold_email(mailbox)), at=at)


def archive(subject: Subject, *, at: datetime) -> IO[bytes]:
    """Write the archive to a temporary file and return it, rewound. Rows go from the database to the disk a piece at a time."""
    made = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - the caller sends and closes it
    manifest: list[dict[str, object]] = []
    with as_of_one_moment(), zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        for section in sections():
            _write_section(bundle, section, subject, manifest)
        for read in _files:
            for name, content in read(subject):
                with content:
                    _add(bundle, f"files/{name}", content, manifest)
        head = {"made_at": at.isoformat(), "person": subject.user.public_id if subject.user else None}
        text = json.dumps({**head, "files": manifest}, indent=2, ensure_ascii=False)
        bundle.writestr("manifest.json", text)
    made.seek(0)
    return made


def _write_section(
    bundle: zipfile.ZipFile, section: Section, subject: Subject, manifest: list[dict[str, object]]
) -> None:
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as as_json,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as as_csv,
    ):
        count = _write_both(section.read(subject), as_json, as_csv)
        if not count:
            return
        for kind, content in (("json", as_json), ("csv", as_csv)):
            content.seek(0)
            _add(bundle, f"{section.name}.{kind}", cast("IO[bytes]", content), manifest, rows=count)


def _write_both(found: Iterable[Row], as_json: Any, as_csv: Any) -> int:
    text = io.TextIOWrapper(as_csv, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    count = 0
    for row in found:
        if not count:
            writer.writerow(row)
        as_json.write(b",\n" if count else b"[\n")
        as_json.write(json.dumps(row, ensure_ascii=False, default=_plain).encode())
        writer.writerow([_cell(value) for value in row.values()])
        count += 1
    as_json.write(b"\n]\n" if count else b"[]\n")
    text.detach()
    return count


def _add(
    bundle: zipfile.ZipFile,
    name: str,
    content: IO[bytes],
    manifest: list[dict[str, object]],
    **more: object,
) -> None:
    digest, size = hashlib.sha256(), 0
    with bundle.open(name, "w") as target:
        while piece := content.read(64 * 1024):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
    manifest.append({"name": name, "bytes": size, "sha256": digest.hexdigest(), **more})


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | int | float | Decimal):
        return str(value)  # a number is typed as one, also a negative one
    if isinstance(value, str):
        return formula_safe(value)
    return formula_safe(
        json.dumps(value, ensure_ascii=False, default=_plain)
        if isinstance(value, dict | list)
        else _plain(value)
    )


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
