"""Make promo codes, change what they give, switch and retire them. A code names one membership over all programs, in capitals and for ever:
switched off it no longer earns, and retired it is never given again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from referrals import code_terms
from referrals.code_terms import Terms
from referrals.links import random_word, require_active, require_may, slug_words
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


class CodeRetired(CodeTaken):
    """The code was in use once."""

    message = _("This code was used before and is out of use for ever. Choose another one.")


class IsRetired(Refused):
    """Nothing about a retired code changes."""

    message = _("This code is retired. It stays out of use for ever.")


@transaction.atomic
def make(
    membership: Membership,
    *,
    at: datetime,
    by: User | None = None,
    code: str = "",
    terms: Terms | None = None,
) -> Code:
    """Make the code `code`, or one from the partner's name.

    Raises: Forbidden, NotActive, BadCode, CodeTaken, CodeRetired, BadPercent, BadAmount, TwoDiscounts, BadLimit, EndsTooSoon.
    """
    require_may(by)
    membership = Membership.objects.lock().get(pk=membership.pk)
    require_active(membership)
    terms = terms or Terms()
    code_terms.require_sound(terms, currency=membership.program.currency)
    text = letters_of(code) if fold(code) else _from_name(membership.partner.name)
    require_free(text)
    try:
        with transaction.atomic():
            made = Code.objects.create(membership=membership, code=text, created_at=at, **terms.columns())
    except IntegrityError:
        raise CodeTaken from None
    audit.record(by, "code.made", made, at=at, membership=membership)
    return made


@transaction.atomic
def change(code: Code, terms: Terms, *, by: User | None, at: datetime) -> Code:
    """Let a code give something else from now on; what it brought stays. None is a file taken on the command line.

    Raises: Forbidden, IsRetired, BadPercent, BadAmount, TwoDiscounts, BadLimit, EndsTooSoon.
    """
    if by is not None:
        policy.require(by, "manage_links")
    code = _locked(code)
    _require_in_use(code)
    code_terms.require_sound(terms, currency=code.membership.program.currency, uses=code.uses)
    changed = sorted(name for name, value in terms.columns().items() if getattr(code, name) != value)
    for name in changed:
        setattr(code, name, terms.columns()[name])
    if changed:
        code.save(update_fields=changed)
        audit.record(by, "code.changed", code, at=at, fields=changed)
    return code


@transaction.atomic
def switch(code: Code, *, on: bool, by: User | None, at: datetime) -> Code:
    """Turn a code on or off; orders that carry one that is off are recorded and earn nothing by it.

    Raises: Forbidden, IsRetired.
    """
    require_may(by)
    code = _locked(code)
    _require_in_use(code)
    if code.is_active != on:
        code.is_active = on
        code.save(update_fields=["is_active"])
        audit.record(by, "code.switched_on" if on else "code.switched_off", code, at=at)
    return code


@transaction.atomic
def retire(code: Code, *, by: User, at: datetime) -> Code:
    """Take a code out of use for ever; nobody gets it again.

    Raises: Forbidden.
    """
    policy.require(by, "manage_links")
    code = _locked(code)
    if code.retired_at is None:
        code.is_active, code.retired_at, code.retired_by = False, at, by
        code.save(update_fields=["is_active", "retired_at", "retired_by"])
        audit.record(by, "code.retired", code, at=at)
    return code


def letters_of(text: str) -> str:
    """Return what somebody typed as a code is stored.

    Raises: BadCode.
    """
    text = fold(text)
    try:
        code_validator(text)
    except ValidationError:
        raise BadCode from None
    return text


def require_free(text: str) -> None:
    """Let a code through that nobody has and nobody had.

    Raises: CodeTaken, CodeRetired.
    """
    known = Code.objects.filter(code=text).first()
    if known is not None:
        raise CodeTaken if known.retired_at is None else CodeRetired


def _locked(code: Code) -> Code:
    Membership.objects.lock().get(pk=code.membership_id)
    return Code.objects.lock().select_related("membership__program").get(pk=code.pk)


def _require_in_use(code: Code) -> None:
    if code.retired_at is not None:
        raise IsRetired


def _from_name(name: str) -> str:
    words = slug_words(name, longest=12).upper().replace("-", "")
    return f"{words}-{random_word(4, alphabet=ALPHABET)}" if words else random_word(8, alphabet=ALPHABET)
