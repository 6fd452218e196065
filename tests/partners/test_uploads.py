"""What is taken from an applicant, and what is refused with its reason."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from partners import uploads
from partners.choices import ApplicationState
from partners.models import Application, ApplicationFile
from tests.factories.partners import ApplicationFactory
from tests.factories.tiers import EPOCH

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), (200, 90, 20)).save(out, kind, **options)
    return out.getvalue()


def moving() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def huge() -> bytes:
    """Return a PNG of a few bytes that says it is 6000 x 6000 pixels."""
    header = struct.pack(">IIBBBBB", 6000, 6000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def look(content: bytes, name: str = "media kit.bin") -> uploads.Upload:
    return uploads.checked(ContentFile(content, name=name), field="media_kit")


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PDF, "pdf"), (picture("PNG"), "png"), (picture("JPEG"), "jpg"), (picture("WEBP"), "webp")],
    ids=["pdf", "png", "jpg", "webp"],
)
def test_a_file_is_named_by_its_content(content: bytes, kind: str) -> None:
    upload = look(content)
    assert (upload.kind, upload.name) == (kind, f"media kit.{kind}")


@pytest.mark.parametrize(
    ("content", "name", "refusal"),
    [
        (b"", "a.pdf", uploads.FileEmpty),
        (PDF + b" " * uploads.LARGEST, "a.pdf", uploads.FileTooLarge),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "a.png",
            uploads.FileOfAnotherKind,
        ),
        (b"<!doctype html><script>alert(1)</script>", "a.pdf", uploads.FileOfAnotherKind),
        (b"PK\x03\x04" + b"\0" * 60, "a.docx", uploads.FileOfAnotherKind),
        (b"GIF89a" + b"\0" * 60, "a.gif", uploads.FileOfAnotherKind),
        (picture("PNG")[:40] + b"<script>alert(1)</script>", "a.png", uploads.FileBroken),
        (b"\xff\xd8\xff\xe0<?php system($_GET[1]); ?>", "a.jpg", uploads.FileBroken),
        (b"RIFF\x10\0\0\0WEBP" + b"\0" * 40, "a.webp", uploads.FileBroken),
        (b"%PDF-1.7\nPK\x03\x04", "a.pdf", uploads.FileBroken),
        (huge(), "a.png", uploads.TooManyPixels),
        (moving(), "a.png", uploads.SeveralPictures),
        (PDF, "../../etc/passwd", uploads.BadName),
        (PDF, "C:\\secret.pdf", uploads.BadName),
        (PDF, "a\0.pdf", uploads.BadName),
        (PDF, "cod\u202efdp.exe", uploads.BadName),
    ],
)
def test_what_is_no_file_for_us_is_refused_at_its_field(
    content: bytes, name: str, refusal: type[uploads.BadFile]
) -> None:
    given = ContentFile(content)
    given.name = name
    with pytest.raises(refusal) as refused:
        uploads.checked(given, field="media_kit")
    assert refused.value.field == "media_kit"
    assert str(refused.value)


def test_nothing_that_hides_in_a_picture_is_kept() -> None:
    notes = PngInfo()
    notes.add_text("Comment", "SECRET-NOTE")
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    for content in (
        picture("PNG", pnginfo=notes) + b"SECRET-TAIL",
        picture("JPEG", exif=exif) + b"SECRET-TAIL",
        picture("WEBP", exif=exif),
    ):
        assert b"SECRET" in content
        assert b"SECRET" not in look(content).content


def test_a_photograph_stands_as_it_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it
    kept = Image.open(io.BytesIO(look(picture("JPEG", exif=exif)).content))
    assert kept.size == (6, 8)


@pytest.fixture
def draft(db: None) -> Application:
    return ApplicationFactory(state=ApplicationState.DRAFT, submitted_at=None, email_confirmed_at=None)


def kept_places() -> list[str]:
    return default_storage.listdir("applications")[1] if default_storage.exists("applications") else []


def test_a_file_lies_under_a_random_name_and_leaves_as_an_attachment(draft: Application) -> None:
    file = uploads.attach(draft, "media_kit", look(picture("PNG"), "Größe.png"), EPOCH)
    [place] = kept_places()
    assert "Gr" not in place
    answer = uploads.attachment(file)
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    default_storage.delete(f"applications/{place}")
    with pytest.raises(Http404):
        uploads.attachment(file)


def test_three_files_are_the_most_and_none_after_sending(draft: Application) -> None:
    files = [uploads.attach(draft, "media_kit", look(PDF), EPOCH) for _each in range(3)]
    with pytest.raises(uploads.TooManyFiles):
        uploads.attach(draft, "other", look(PDF), EPOCH)
    Application.objects.update(state=ApplicationState.SUBMITTED, submitted_at=EPOCH)
    with pytest.raises(uploads.AlreadySent):
        uploads.remove(files[0])
    with pytest.raises(uploads.AlreadySent):
        uploads.attach(draft, "other", look(PDF), EPOCH)
    assert len(kept_places()) == ApplicationFile.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_removed_file_leaves_the_storage(transactional_db: None) -> None:
    draft = ApplicationFactory(state=ApplicationState.DRAFT, submitted_at=None, email_confirmed_at=None)
    file = uploads.attach(draft, "media_kit", look(PDF), EPOCH)
    uploads.remove(file)
    assert kept_places() == []
    assert not ApplicationFile.objects.exists()
