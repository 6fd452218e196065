"""Tell by its content what a bank's file is, and read it. A name or an ending proves nothing; a format that is not known is refused with
those that are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from django.utils.translation import gettext_lazy as _

from payouts.choices import ResultFormat
from payouts.results import camt, csv, pain002, xml
from payouts.results.facts import Booking, NotRead, ResultsRead

LARGEST = 20 * 1024 * 1024
# By the message in the namespace; versions differ in what they add, not in what is read here.
_MESSAGE = re.compile(r"(camt\.053|camt\.054|pain\.002)\.001\.\d\d$")
_READERS: dict[str, tuple[ResultFormat, Callable[[Element], Iterator[Booking]]]] = {
    "camt.053": (ResultFormat.CAMT053, camt.bookings),
    "camt.054": (ResultFormat.CAMT054, camt.bookings),
    "pain.002": (ResultFormat.PAIN002, pain002.bookings),
}
_KNOWN = "camt.053, camt.054, pain.002, CSV"


def read(content: bytes) -> ResultsRead:
    """Return what the file says.

    Raises: NotRead, WrongRows.
    """
    if not content.strip():
        raise NotRead(_("it is empty."))
    if len(content) > LARGEST:
        raise NotRead(_("it is larger than 20 MB. Ask the bank for a file per day."))
    if not _looks_like_xml(content):
        return ResultsRead(ResultFormat.CSV, csv.bookings(content))
    namespace, root = xml.read(content)
    message = _MESSAGE.search(namespace)
    if message is None:
        raise NotRead(_("it is none of %(formats)s.") % {"formats": _KNOWN})
    form, reader = _READERS[message.group(1)]
    return ResultsRead(form, list(reader(root)))


def _looks_like_xml(content: bytes) -> bool:
    start = content[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith(b"<")
