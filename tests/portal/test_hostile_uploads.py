"""Files a hostile stranger sends: each is refused with a reason beside its question, or kept as what its content is, without what hid in it,
and handed out as a download to nobody but who may have it."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import IFDRational

from partners.application_forms.definition import Definition, Question
from partners.application_forms.standard import standard_for
from partners.models import Application, ApplicationFile
from partners.tokens import digest, first_status_token, status_token
from tests import applying
from tests.desk import at_desk, words
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.recruiting import FormVersionFactory
from tests.factories.tiers import ProgramFactory
from tests.people import ana, fiona, mats
from tests.portal.hostile import alive

pytestmark = pytest.mark.django_db
ABOUT, READERS = "/p/affiliates/apply/you/", "/p/affiliates/apply/audience/"
PDF = b"%PDF-1.7\n1 0 obj\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
SCRIPT = b"<script>pwn()</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="pwn()">' + SCRIPT + b"</svg>"


def drawn(kind: str, *, frames: int = 1, size: tuple[int, int] = (8, 6), **options: object) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("RGB", size, (number * 90, 20, 40)) for number in range(frames)]
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(out, kind, **more, **options)
    return out.getvalue()


def located() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: tuple(IFDRational(each) for each in (52, 38, 7))})
    exif[0x010E] = "SECRET-PLACE"
    return drawn("JPEG", exif=exif) + SCRIPT


def says(width: int, height: int) -> bytes:
    """Return a PNG of some bytes that says how large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 60_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


REFUSED: dict[str, tuple[str, bytes]] = {
    "svg": ("kit.svg", SVG),
    "svg as png": ("kit.png", SVG),
    "html as png": ("kit.png", b"<!doctype html>" + SCRIPT),
    "html as pdf": ("kit.pdf", b"\n\n<html>" + SCRIPT),
    "php as jpg": ("kit.jpg", b"\xff\xd8\xff\xe0<?php system($_GET[1]); ?>"),
    "a bomb": ("kit.png", says(30_000, 30_000)),
    "no size": ("kit.png", says(0, 0)),
    "negative size": ("kit.png", says(0xFFFFFFFF, 1)),
    "too little data": ("kit.png", says(4000, 4000)),
    "half a jpeg": ("kit.jpg", drawn("JPEG", size=(300, 300))[:400]),
    "moving webp": ("kit.webp", drawn("WEBP", frames=2)),
    "moving png": ("kit.png", drawn("PNG", frames=2)),
    "gif": ("kit.gif", drawn("GIF", frames=2)),
    "tiff": ("kit.tif", drawn("TIFF")),
    "bmp as jpg": ("kit.jpg", drawn("BMP")),
    "icon": ("kit.ico", drawn("ICO", size=(16, 16))),
    "zip behind a pdf": ("kit.pdf", PDF + b"PK\x03\x04" + b"\0" * 4000),
    "document": ("kit.docx", b"PK\x03\x04" + b"\0" * 60),
    "program": ("kit.pdf.exe", b"MZ\x90\x00" + b"\0" * 60),
    "postscript": ("kit.pdf", b"%!PS-Adobe-3.0\n(%pipe%id) (w) file\n%%EOF"),
    "empty": ("kit.pdf", b""),
    "too large": ("kit.pdf", PDF + b" " * (11 * 1024 * 1024)),
    "text": ("kit.txt", b"=HYPERLINK(1)"),
}
KEPT: dict[str, tuple[str, bytes, str]] = {
    "with its place": ("photo.jpg", located(), "jpg"),
    "turned name": ("cod\u202efdp.exe", drawn("PNG"), "png"),
    "a folder": ("../../../etc/passwd", PDF, "pdf"),
    "two endings": ("kit.pdf.exe", PDF, "pdf"),
    "markup": ('"><img src=x onerror=pwn()>.png', drawn("PNG"), "png"),
    "header": ('a"; filename="b.html', drawn("PNG"), "png"),
    "long": ("k" * 400 + ".png", drawn("WEBP"), "webp"),
}


@pytest.fixture
def client(db: None) -> Client:
    """A visitor who has come to the step that takes files."""
    program = ProgramFactory(slug="affiliates")
    TermsVersionFactory(published=True, program=program)
    kit = Question(key="kit", kind="file", step="audience", label={"en": "Media kit"})
    whole = Definition((*standard_for(program).questions, kit), ("affiliate",))
    FormVersionFactory(program=program, number=1, published=True, definition=whole.as_json())
    visitor = Client()
    visitor.post(ABOUT, applying.YOU)
    return visitor


def given(name: str, content: bytes) -> dict[str, object]:
    return {**applying.AUDIENCE, "kit": SimpleUploadedFile(name, content, content_type="image/png")}


def stored() -> list[str]:
    return default_storage.listdir("applications")[1] if default_storage.exists("applications") else []


def test_what_is_no_file_for_us_is_refused_beside_its_question(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as in a process that has drawn a PDF
    before = stored()
    for what, (name, content) in REFUSED.items():
        answer = client.post(READERS, given(name, content))
        assert answer.status_code == 422, (what, answer.status_code)
        assert 'href="#id_kit"' in answer.content.decode(), what
        assert alive(answer.content) == [], what
        assert "9,000 readers" in answer.content.decode(), what
    assert not ApplicationFile.objects.exists()
    assert stored() == before


def test_what_is_kept_is_harmless_and_goes_to_nobody_else(client: Client) -> None:
    for number, (what, (name, content, kind)) in enumerate(KEPT.items()):
        client = Client()
        client.post(ABOUT, {**applying.YOU, "email": f"up{number}@x.example"})
        answer = client.post(READERS, given(name, content))
        assert answer.status_code == 302, (what, words(answer))
        file = ApplicationFile.objects.latest("pk")
        assert (file.kind, file.name.endswith(f".{kind}")) == (kind, True), what
        assert "/" not in file.name and "\u202e" not in file.name and len(file.name) <= 120, what
        kept = file.file.read()
        assert b"SECRET" not in kept and SCRIPT not in kept and b"GPS" not in kept, what
        assert alive(client.get("/p/affiliates/apply/check/").content) == [], what
        desk = at_desk(mats())
        Application.objects.filter(pk=file.application_id).update(
            state="submitted",
            submitted_at=file.added_at,
            token_sha256=digest(first_status_token(file.application.public_id)),
        )
        sent = Application.objects.get(pk=file.application_id)
        path = f"/admin/partners/application/{sent.pk}/files/{file.public_id}/"
        for download in (
            desk.get(path),
            client.get(f"/application/{status_token(sent)}/file/{file.public_id}/"),
        ):
            header = download["Content-Disposition"]
            assert (download.status_code, header.startswith("attachment;")) == (200, True), what
            assert header.count("filename") == 1 and '.html"' not in header.replace('\\"', ""), what
            assert download["X-Content-Type-Options"] == "nosniff", what
            assert "sandbox" in download["Content-Security-Policy"], what
            assert "no-store" in download["Cache-Control"], what
        assert alive(desk.get(f"/admin/partners/application/{sent.pk}/change/").content) == [], what
        other = ApplicationFactory(program=sent.program)
        assert client.get(f"/application/{status_token(other)}/file/{file.public_id}/").status_code == 404, (
            what
        )
        stranger = Client()
        stranger.force_login(ana())
        assert stranger.get(path).status_code in (302, 403, 404), what
        assert Client().get(f"/media/{file.file.name}").status_code == 404, what
        assert desk.get(path.replace(f"/{sent.pk}/", f"/{other.pk}/")).status_code == 404, what


def test_finance_reads_no_files_of_applicants(client: Client) -> None:
    client.post(READERS, given("kit.png", drawn("PNG")))
    file = ApplicationFile.objects.get()
    path = f"/admin/partners/application/{file.application_id}/files/{file.public_id}/"
    assert at_desk(fiona()).get(path).status_code in (403, 404)
