"""Refusals: the answers "no" that the business foresees. A refusal is always safe to show to the person who asked."""

from __future__ import annotations

import re
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """An anticipated refusal, shown as a form error, an API answer or an admin message.

    Subclass it beside the verb that raises it and give it a `message`; `code` is the class name in snake case unless
    set. Placeholders in the message are filled from `params`: `message = _("%(day)s is closed.")`.
    """

    message: str | Promise = _("This is not possible.")
    code: str = "refused"
    field: str | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(
        self,
        message: str | Promise | None = None,
        *,
        code: str | None = None,
        field: str | None = None,
        params: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code
        if field is not None:
            self.field = field
        self.params = params or {}

    def __str__(self) -> str:
        """Return the message in the language that is active now."""
        text = str(self.message)
        return text % self.params if self.params else text
