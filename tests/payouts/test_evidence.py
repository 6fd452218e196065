"""Evidence is what its content says: four kinds are taken, up to 10 MB, under a name of ours, and handed out as a download."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile
from django.http import Http404

from payouts import evidence
from payouts.models import Adjustment

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"


def given(content: bytes, name: str = "receipt.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/x-anything")


@pytest.mark.parametrize(
    ("content", "name", "kept"),
    [
        (PDF, "receipt.pdf", "receipt.pdf"),
        (PNG, "shot.png", "shot.png"),
        (JPEG, "photo.jpeg", "photo.jpg"),
        ("Kosten für März".encode(), "note.txt", "note.txt"),
        (b"day,amount\r\n1,2\r\n", "costs.csv", "costs.csv"),
        # The name says nothing about what it is.
        (PDF, "receipt.png", "receipt.pdf"),
        (b"<script>alert(1)</script>", "page.html", "page.txt"),
        (PNG, "../../etc/passwd", "passwd.png"),
        (PNG, "C:\\desk\\my  shot\u202egnp.exe", "my shotgnp.png"),
        (b"text", "", "evidence.txt"),
        (b"text", "n" * 300, "n" * 116 + ".txt"),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, name: str, kept: str) -> None:
    upload = given(content, "x")
    upload.file.name = name
    upload._name = name
    found = evidence.checked(upload)
    assert (found.name, found.content) == (kept, content)
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert len(found.name) <= 120


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", evidence.EvidenceEmpty),
        (b"MZ\x90\x00\x03", evidence.EvidenceOfAnotherKind),
        (b"PK\x03\x04", evidence.EvidenceOfAnotherKind),
        (b"GIF89a\x01\x00", evidence.EvidenceOfAnotherKind),
        (b"text with \x00 inside", evidence.EvidenceOfAnotherKind),
        (b"\xff\xfe\x00text", evidence.EvidenceOfAnotherKind),
        (b"%PDF-" + b"x" * (10 * 1024 * 1024), evidence.EvidenceTooLarge),
    ],
    ids=["empty", "program", "archive", "gif", "nul", "utf-16", "large"],
)
def test_anything_else_is_refused_at_the_field(content: bytes, refusal: type[evidence.BadEvidence]) -> None:
    with pytest.raises(refusal) as refused:
        evidence.checked(given(content))
    assert refused.value.field == "evidence"


def test_ten_megabytes_are_taken() -> None:
    assert evidence.checked(given(b"%PDF-" + b"x" * (10 * 1024 * 1024 - 5))).extension == "pdf"


def test_a_kept_file_has_a_name_nobody_guesses_and_leaves_as_a_download() -> None:
    place = evidence.keep(evidence.checked(given(b"<b>costs</b>", "costs.html")))
    assert place.startswith("evidence/")
    assert len(place) == len("evidence/") + 32 + len(".txt")
    stored = FieldFile(Adjustment(), Adjustment._meta.get_field("evidence"), place)
    answer = evidence.attachment(stored, "costs.txt")
    assert b"".join(answer.streaming_content) == b"<b>costs</b>"  # type: ignore[arg-type]
    assert answer["Content-Disposition"] == 'attachment; filename="costs.txt"'
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    evidence.discard(place)
    assert not default_storage.exists(place)
    with pytest.raises(Http404):
        evidence.attachment(stored, "costs.txt")


def test_a_row_without_a_file_has_none_to_hand_out() -> None:
    with pytest.raises(Http404):
        evidence.attachment(Adjustment().evidence, "")
