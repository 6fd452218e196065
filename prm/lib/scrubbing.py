"""Take a person out of texts: every e-mail address, name and number given is replaced by one word, whatever stands around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models.functions import Cast

ERASED = "[erased]"
SHORTEST = 4  # three letters are in too many words


@dataclass(frozen=True)
class Needles:
    """What to look for; a mailbox, a name, a telephone number as they were written."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, *given: Iterable[str]) -> Needles:
        """Return the needles worth looking for, the longest first."""
        found = {text.strip() for texts in given for text in texts if len(text.strip()) >= SHORTEST}
        return cls(tuple(sorted(found, key=lambda text: (-len(text), text))))

    def scrub(self, text: str) -> str:
        """Return `text` without the needles."""
        if not self.texts:
            return text
        either = "|".join(re.escape(needle) for needle in self.texts)
        return re.sub(rf"(?<!\w)(?:{either})(?!\w)", ERASED, text, flags=re.IGNORECASE)

    def scrub_json(self, value: Any) -> Any:
        """Return `value` with every text in it scrubbed, the words of its keys included."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, list):
            return [self.scrub_json(item) for item in value]
        if isinstance(value, dict):
            return {self.scrub(str(key)): self.scrub_json(item) for key, item in value.items()}
        return value

    def found_in(self, *fields: str) -> models.Q:
        """Return the condition that a needle may stand in one of the columns; a scrub then decides."""
        found = models.Q(pk__in=[])
        for needle in self.texts:
            # A JSON column may hold letters beyond ASCII as escapes.
            for spelling in {needle, json.dumps(needle)[1:-1]}:
                for field in fields:
                    found |= models.Q(**{f"{field}__icontains": spelling})
        return found


def scrub_rows(rows: models.QuerySet[Any], needles: Needles, *fields: str, **also: Any) -> int:
    """Take the needles out of text columns of the rows that hold one; return how many rows changed."""
    if not needles.texts:
        return 0
    changed = 0
    texts = {f"{name}_as_text": Cast(name, models.TextField()) for name in fields}
    for row in (
        rows.annotate(**texts).filter(needles.found_in(*texts)).order_by("pk").iterator(chunk_size=500)
    ):
        new = {name: needles.scrub_json(getattr(row, name)) for name in fields}
        if any(new[name] != getattr(row, name) for name in fields):
            rows.model._default_manager.filter(pk=row.pk).update(**new, **also)
            changed += 1
    return changed
