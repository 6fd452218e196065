"""Every mail of the product has three parts and a subject that fits a phone."""

import re
from pathlib import Path

import pytest
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "templates" / "emails"
KINDS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
LONGEST_SUBJECT = 60


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_has_subject_text_and_html(kind: str) -> None:
    # Pieces the parts include begin with an underscore.
    parts = {path.name for path in (FOLDER / kind).iterdir() if not path.name.startswith("_")}
    assert parts == {"subject.txt", "body.txt", "body.html"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_has_sixty_characters_at_most(kind: str) -> None:
    source = (FOLDER / kind / "subject.txt").read_text()
    words = re.sub(r"\{%\s*translate\s+[\"'](.*?)[\"']\s*%\}", r"\1", source)
    plain = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", words).strip()
    assert len(plain) <= LONGEST_SUBJECT
    assert "\n" not in source.strip()
