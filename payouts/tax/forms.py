"""Keep the tax forms a partner gives and say whether it may be paid. A form ends by its expiry or by being revoked, never by being deleted;
of the tax number on it only the last four characters are ever shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.core.files import File
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from stdnum.exceptions import ValidationError as NotANumber
from stdnum.us import tin

from partners.models import Partner
from payouts import evidence
from payouts.choices import TaxFormKind
from payouts.models import TaxForm, TaxProfile
from payouts.tax.profiles import require_may_set
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

# A W-8 holds from the day it is signed to the last day of the third year after (instructions of the IRS to the form).
_W8 = (TaxFormKind.W8BEN, TaxFormKind.W8BENE)
_W8_YEARS = 3
REMIND_DAYS = 60
_LONGEST_NUMBER = 30


class UnknownForm(Refused):
    message = _("Choose one of the forms.")
    field = "kind"


class BadTaxNumber(Refused):
    message = _("A US tax number has nine digits, such as 12-3456789 or 123-45-6789.")
    field = "tax_number"


class TaxNumberTooLong(Refused):
    message = _("A tax number has at most 30 letters, digits and hyphens.")
    field = "tax_number"


class SignedLater(Refused):
    message = _("The form cannot be signed later than today.")
    field = "signed_on"


class ExpiryMissing(Refused):
    message = _("Say until which day the certificate holds.")
    field = "expires_on"


class ExpiredBefore(Refused):
    message = _("A form must hold longer than the day it was signed.")
    field = "expires_on"


class DocumentMissing(Refused):
    message = _("Add the signed form as a file.")
    field = "document"


class BadDocument(Refused):
    field = "document"


class AlreadyRevoked(Refused):
    message = _("This form was revoked already.")


@transaction.atomic
def receive(
    partner: Partner,
    *,
    kind: str,
    signed_on: date,
    by: User,
    at: datetime,
    tax_number: str = "",
    expires_on: date | None = None,
    document: File[bytes] | None = None,
) -> TaxForm:
    """Keep a form with its file; when it expires follows from its kind, or is what the certificate says.

    Raises: NotYourTaxes, UnknownForm, BadTaxNumber, TaxNumberTooLong, SignedLater, ExpiryMissing, ExpiredBefore, DocumentMissing,
    BadDocument.
    """
    require_may_set(partner, by)
    if kind not in TaxFormKind.values:
        raise UnknownForm
    number = _checked_number(kind, tax_number)
    if signed_on > at.date():
        raise SignedLater
    until = expiry_of(kind, signed_on, given=expires_on)
    if until is not None and until <= signed_on:
        raise ExpiredBefore
    if document is None:
        raise DocumentMissing
    file = _looked_at(document)
    place = evidence.keep(file)
    try:
        with transaction.atomic():
            form = TaxForm.objects.create(
                partner=partner,
                kind=kind,
                tax_number=number,
                tax_number_ending=number[-4:] if len(number) > 4 else "",
                signed_on=signed_on,
                expires_on=until,
                document=place,
                document_name=file.name,
                received_at=at,
                received_by=by,
            )
    except BaseException:
        evidence.discard(place)
        raise
    audit.record(
        by, "tax_form.received", form, at=at, kind=kind, ending=form.tax_number_ending, file=file.sha256[:16]
    )
    return form


def expiry_of(kind: str, signed_on: date, *, given: date | None = None) -> date | None:
    """Return the last day a form holds, None for one that does not expire.

    Raises: ExpiryMissing.
    """
    if kind in _W8:
        return date(signed_on.year + _W8_YEARS, 12, 31)
    if kind == TaxFormKind.W9:
        return None
    if kind == TaxFormKind.RESIDENCE and given is None:
        raise ExpiryMissing
    return given


@transaction.atomic
def revoke(form: TaxForm, *, by: User, at: datetime) -> TaxForm:
    """Let a form count no longer.

    Raises: Forbidden, AlreadyRevoked.
    """
    policy.require(by, "manage_tax")
    if not TaxForm.objects.filter(pk=form.pk, revoked_at=None).update(revoked_at=at, revoked_by=by):
        raise AlreadyRevoked
    form.refresh_from_db()
    audit.record(by, "tax_form.revoked", form, at=at, kind=form.kind)
    return form


def is_covered(partner: Partner, *, on: date) -> bool:
    """Say whether the partner may be paid on a day: it needs no form, or one holds."""
    return not uncovered([partner.pk], on=on)


def uncovered(partner_ids: Iterable[int], *, on: date) -> set[int]:
    """Return those of the partners that need a form and have none that holds on a day."""
    missing = needing(partner_ids)
    return missing - set(holding(on=on).filter(partner__in=missing).values_list("partner_id", flat=True))


def needing(partner_ids: Iterable[int]) -> set[int]:
    """Return those of the partners that are paid only with a valid form."""
    found = TaxProfile.objects.filter(partner__in=list(partner_ids), ends_at=None, needs_form=True)
    return set(found.values_list("partner_id", flat=True))


def holding(*, on: date) -> models.QuerySet[TaxForm]:
    """Return the forms that hold on a day."""
    lasting = models.Q(expires_on=None) | models.Q(expires_on__gte=on)
    return TaxForm.objects.filter(lasting, revoked_at=None, signed_on__lte=on)


def expiring(*, on: date, within_days: int = REMIND_DAYS) -> models.QuerySet[TaxForm]:
    """Return the forms that hold now, end within some days, and have no successor that lasts longer."""
    until = on + timedelta(days=within_days)
    successor = holding(on=on).filter(
        models.Q(expires_on=None) | models.Q(expires_on__gt=models.OuterRef("expires_on")),
        partner=models.OuterRef("partner"),
        kind=models.OuterRef("kind"),
    )
    soon = holding(on=on).filter(expires_on__lte=until)
    return soon.exclude(models.Exists(successor)).order_by("expires_on", "pk")


def _looked_at(document: File[bytes]) -> evidence.Evidence:
    try:
        return evidence.checked(document)
    except evidence.BadEvidence as refusal:
        raise BadDocument(str(refusal)) from refusal


def _checked_number(kind: str, text: str) -> str:
    number = "".join(text.split()).upper()
    if kind == TaxFormKind.W9:
        try:
            return str(tin.validate(number))
        except NotANumber as error:
            raise BadTaxNumber from error
    plain = number.replace("-", "").replace("/", "")
    if number and (len(number) > _LONGEST_NUMBER or not plain.isalnum()):
        raise TaxNumberTooLong
    return number
