"""Read what machines send: JSON of bounded size and depth, in UTF-8. Each way in which a body cannot be read has a code of its own, and
none of them costs more than reading it once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.parsers import BaseParser

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class TooLarge(exceptions.ParseError):
    """The body is larger than this call takes."""

    status_code = 413


class BoundedJSONParser(BaseParser):
    """Parse JSON of bounded size and depth, refusing NaN, infinities, doubled keys, NUL and lone surrogates."""

    media_type = "application/json"
    most_bytes = MAX_BYTES

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body.

        Raises: ParseError.
        """
        raw = self._read(stream)
        try:
            value = json.loads(
                raw.decode("utf-8"),
                parse_constant=_no_constant,
                parse_float=_finite,
                object_pairs_hook=_no_doubles,
            )
            _look_through(value, MAX_DEPTH)
        except RecursionError:
            raise exceptions.ParseError(_("The body is nested too deeply."), code="too_deep") from None
        except UnicodeError:
            raise exceptions.ParseError(_("The body is not valid UTF-8."), code="not_utf8") from None
        except json.JSONDecodeError as error:
            told = _("The body is not valid JSON: %(why)s") % {"why": error}
            raise exceptions.ParseError(told, code="malformed_json") from None
        except ValueError:  # the only one left: a whole number of thousands of digits
            raise exceptions.ParseError(_("A number is too large."), code="number_too_large") from None
        return value

    def _read(self, stream: Any) -> bytes:
        told = _("The body is larger than %(most)s bytes.") % {"most": self.most_bytes}
        try:
            raw: bytes = stream.read(self.most_bytes + 1)
        except RequestDataTooBig:
            raise TooLarge(told, code="too_large") from None
        if len(raw) > self.most_bytes:
            raise TooLarge(told, code="too_large")
        return raw


def _no_constant(name: str) -> Any:
    told = _("%(name)s is not a JSON number.") % {"name": name}
    raise exceptions.ParseError(told, code="not_a_number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise exceptions.ParseError(_("A number is too large."), code="number_too_large")
    return value


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise exceptions.ParseError(_("An object names the same key twice."), code="duplicate_key")
    return found


def _look_through(value: Any, depth: int) -> None:
    if depth == 0 and isinstance(value, dict | list):
        raise RecursionError
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _look_through(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _look_through(item, depth - 1)


def _check_text(text: str) -> None:
    if "\0" in text or (not text.isascii() and _SURROGATE.search(text)):
        told = _("A text contains a character that cannot be stored.")
        raise exceptions.ParseError(told, code="bad_character")
