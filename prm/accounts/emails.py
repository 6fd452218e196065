"""Decide when two e-mail addresses are the same one. Every comparison of addresses goes through `fold_email`.

Databases disagree about case: PostgreSQL's UPPER makes `mıke` and `mike` equal, which lets a stranger claim a
mailbox. So the fold is done here, once, and the folded text is what is stored, unique and compared.
"""

from __future__ import annotations

import unicodedata


def fold_email(email: str) -> str:
    """Return the form of `email` used for comparing: trimmed, NFKC, case-folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email.strip()).casefold())
