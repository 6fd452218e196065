"""Make promo codes and switch them. A code names one membership over all programs, in capitals; switched off, it no longer earns."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from prm import audit
from prm.lib.errors import Refused
from referrals.links import random_word, require_active, slug_words
from referrals.models import Code
from referrals.models.code import code_validator, fold

if TYPE_CHECKING:
    from prm.accounts.models import User

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class BadCode(Refused):
    """The code has characters it may not have."""

    message = _("Use letters A to Z, digits and hyphens, 1 to 40 of them.")
    field = "code"


class CodeTaken(Refused):
    """Another membership has this code."""

    message = _("This code is taken. Choose another one.")
    field = "code"


@transaction.atomic
def make(membership: Membership, *, at: datetime, by: User | None = None, code: str = "") -> Code:
    """Make the code `code`, or one from the partner's name.

    Raises: NotActive, BadCode, CodeTaken.
    """
    membership = Membership.objects.lock().get(pk=membership.pk)
    require_active(membership)
    text = fold(code) or _from_name(membership.partner.name)
    try:
        code_validator(text)
    except ValidationError:
        raise BadCode from None
    try:
        with transaction.atomic():
            made = Code.objects.create(membership=membership, code=text, created_at=at)
    except IntegrityError:
        raise CodeTaken from None
    audit.record(by, "code.made", made, at=at, membership=membership)
    return made


@transaction.atomic
def switch(code: Code, *, on: bool, by: User | None, at: datetime) -> Code:
    """Turn a code on or off; orders that carry one that is off are recorded and earn nothing by it."""
    if Code.objects.filter(pk=code.pk, is_active=not on).update(is_active=on):
        code.refresh_from_db()
        audit.record(by, "code.switched_on" if on else "code.switched_off", code, at=at)
    return code


def _from_name(name: str) -> str:
    words = slug_words(name, longest=12).upper().replace("-", "")
    return f"{words}-{random_word(4, alphabet=ALPHABET)}" if words else random_word(8, alphabet=ALPHABET)
