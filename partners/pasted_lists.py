"""Read lists that staff paste or upload, as cells by line. What is no text, or too much of it, is refused before anything is looked at."""

from __future__ import annotations

import csv
import io

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused

MOST_BYTES = 1_000_000


class TooLarge(Refused):
    message = _("A list may be up to 1 MB.")
    field = "file"


class NotText(Refused):
    message = _("This file is no text. Save the list as CSV, in UTF-8 or Latin-1.")
    field = "file"


def read_file(content: bytes) -> str:
    """Return the text of an uploaded list, in UTF-8 or Latin-1.

    Raises: TooLarge, NotText.
    """
    if len(content) > MOST_BYTES:
        raise TooLarge
    if b"\x00" in content:
        raise NotText
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def cells_of(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that hold something, with their numbers; the sign that parts cells is the commonest of the first line.

    Raises: TooLarge, NotText.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise TooLarge
    lines = text.lstrip("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), "")
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=max(";\t,", key=first.count))
    found = []
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                found.append((reader.line_num, trimmed))
    except csv.Error as error:
        raise NotText from error
    return found
