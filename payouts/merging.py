"""What becomes of accounts and taxes when two partners become one. Balances hang on memberships and are not touched here. A payment method of
the duplicate never goes on unseen: it waits like a new one, and both teams are written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from partners.models import Partner
from partners.readers import readers_of
from payouts import notices_methods, signals_of_accounts
from payouts.choices import PaymentState
from payouts.models import Payment, PaymentMethod, SelfBillingMandate, TaxForm, TaxProfile, Withholding
from payouts.payment_methods import cooling_hours
from payouts.tax import forms
from prm import audit

if TYPE_CHECKING:
    from partners.merging import Merge

_PROFILE_FACTS = (
    "country_code",
    "status",
    "vat_mode",
    "vat_rate",
    "vat_number",
    "registration_number",
    "exemption_reason",
    "needs_form",
    "is_set_by_hand",
)


@dataclass(frozen=True)
class _Step:
    """One thing to do, and what is said about it beforehand and afterwards."""

    words: str
    do: Callable[[], Any]


def foretell(merge: Merge) -> list[str]:
    """Return what would become of accounts and taxes."""
    return [step.words for step in _steps(merge)]


def move(merge: Merge) -> list[str]:
    """Do it, and return what was done."""
    done = []
    for step in list(_steps(merge)):
        step.do()
        done.append(step.words)
    return done


def in_the_way(merge: Merge) -> Iterator[str]:
    """Say which payments are being prepared: a run that is looked at must not change under the eyes of who approves it."""
    queued = Payment.objects.filter(
        membership__partner__in=(merge.duplicate, merge.into), state=PaymentState.QUEUED
    )
    for payment in queued.select_related("membership__partner", "pay_run").order_by("pk"):
        yield _(
            "A payment to %(partner)s is being prepared in pay run %(run)s. Wait until it is sent or taken out."
        ) % {
            "partner": payment.membership.partner.name,
            "run": payment.pay_run.public_id,
        }


def _steps(merge: Merge) -> Iterator[_Step]:
    yield from _accounts(merge)
    yield from _profile(merge)
    yield from _forms(merge)
    yield from _withholding(merge)
    yield from _mandates(merge)


def _accounts(merge: Merge) -> Iterator[_Step]:
    here = {each.currency: each for each in PaymentMethod.objects.current().filter(partner=merge.into)}
    for method in PaymentMethod.objects.current().filter(partner=merge.duplicate).order_by("currency"):
        kept = here.get(method.currency)
        names = {
            "into": merge.into.name,
            "duplicate": merge.duplicate.name,
            "currency": method.currency,
            "account": str(method),
            "hours": cooling_hours(),
        }
        if kept is None:
            words = _(
                "Balances in %(currency)s are paid to the account of %(duplicate)s, %(account)s, as a new one: nothing is"
                " sent there for %(hours)s hours, and both teams get a mail."
            )
            yield _Step(words % names, partial(_take_over, merge, method))
        else:
            words = _(
                "Balances in %(currency)s are paid to %(kept)s and no longer to %(account)s. Nothing is sent there for"
                " %(hours)s hours, and both teams get a mail."
            )
            yield _Step(
                words % {**names, "kept": str(kept)},
                partial(_give_up, merge, method, kept),
            )


def _take_over(merge: Merge, method: PaymentMethod) -> None:
    _end_method(merge, method)
    copied = (
        "currency",
        "payout_currency",
        "kind",
        "holder",
        "iban",
        "details",
        "ending",
        "account_index",
        "bic",
    )
    taken = PaymentMethod.objects.create(
        partner=merge.into,
        **{name: getattr(method, name) for name in copied},
        added_at=merge.at,
        added_by=merge.by,
        usable_at=merge.at + timedelta(hours=cooling_hours()),
    )
    audit.record(merge.by, "payment_method.added", taken, at=merge.at, replaces=method, because="merged")
    signals_of_accounts.look_for(taken, at=merge.at)
    notices_methods.tell_changed(taken, also=readers_of(merge.into))


def _give_up(merge: Merge, method: PaymentMethod, kept: PaymentMethod) -> None:
    _end_method(merge, method)
    # What the duplicate earned goes to another account now: as much time to object as after any change.
    waits = max(kept.usable_at, merge.at + timedelta(hours=cooling_hours()))
    PaymentMethod.objects.filter(pk=kept.pk).update(usable_at=waits)
    method.partner = merge.into  # its team reads the mail as the team it is now
    notices_methods.tell_removed(method, by=merge.by, also=readers_of(merge.into))


def _end_method(merge: Merge, method: PaymentMethod) -> None:
    PaymentMethod.objects.filter(pk=method.pk, replaced_at=None).update(
        replaced_at=merge.at, replaced_by=merge.by
    )
    audit.record(merge.by, "payment_method.removed", method, at=merge.at, because="merged")


def _profile(merge: Merge) -> Iterator[_Step]:
    there = _open_profile(merge.duplicate)
    if there is None:
        return
    names = {"into": merge.into.name, "duplicate": merge.duplicate.name}
    if _open_profile(merge.into) is not None:
        words = _("The tax details of %(into)s hold; those of %(duplicate)s end.")
        yield _Step(words % names, partial(_end_profile, merge, there))
    else:
        words = _("%(into)s has no tax details and takes over those of %(duplicate)s.")
        yield _Step(words % names, partial(_begin_profile, merge, there))


def _open_profile(partner: Partner) -> TaxProfile | None:
    return TaxProfile.objects.filter(partner=partner, ends_at=None).first()


def _end_profile(merge: Merge, profile: TaxProfile) -> None:
    TaxProfile.objects.filter(pk=profile.pk, ends_at=None).update(ends_at=merge.at)
    audit.record(merge.by, "tax_profile.ended", profile, at=merge.at, because="merged")


def _begin_profile(merge: Merge, profile: TaxProfile) -> None:
    _end_profile(merge, profile)
    facts = {name: getattr(profile, name) for name in _PROFILE_FACTS}
    begun = TaxProfile.objects.create(
        partner=merge.into, starts_at=merge.at, set_at=merge.at, set_by=merge.by, **facts
    )
    Partner.objects.filter(pk=merge.into.pk).update(vat_number=begun.vat_number)
    audit.record(merge.by, "tax_profile.set", begun, at=merge.at, replaces=profile, because="merged")


def _forms(merge: Merge) -> Iterator[_Step]:
    day = merge.at.date()
    held = set(forms.holding(on=day).filter(partner=merge.into).values_list("kind", flat=True))
    for form in TaxForm.objects.filter(partner=merge.duplicate, revoked_at=None).order_by("pk"):
        names = {"into": merge.into.name, "form": form.get_kind_display()}
        if form.kind in held:
            words = _("The tax form of the duplicate ends, as %(into)s has one: %(form)s.")
            yield _Step(words % names, partial(_revoke, merge, form))
        else:
            words = _("The tax form goes over to %(into)s: %(form)s.")
            yield _Step(words % names, partial(_hand_over, merge, form))


def _revoke(merge: Merge, form: TaxForm) -> None:
    TaxForm.objects.filter(pk=form.pk, revoked_at=None).update(revoked_at=merge.at, revoked_by=merge.by)
    audit.record(merge.by, "tax_form.revoked", form, at=merge.at, kind=form.kind, because="merged")


def _hand_over(merge: Merge, form: TaxForm) -> None:
    TaxForm.objects.filter(pk=form.pk).update(partner=merge.into)
    audit.record(merge.by, "tax_form.moved", form, at=merge.at, kind=form.kind, into=merge.into)


def _withholding(merge: Merge) -> Iterator[_Step]:
    there = Withholding.objects.filter(partner=merge.duplicate, ends_on=None).first()
    if there is None:
        return
    names = {"into": merge.into.name, "duplicate": merge.duplicate.name, "rate": str(there.rate)}
    kept = Withholding.objects.filter(partner=merge.into, ends_on=None).first()
    if kept is not None:
        words = _(
            "Tax is kept back at the rate of %(into)s, %(kept)s %%, from all payments; the rate of %(duplicate)s ends."
        )
        yield _Step(words % {**names, "kept": str(kept.rate)}, partial(_end_withholding, merge, there))
    else:
        words = _(
            "Tax kept back from payments to %(duplicate)s, %(rate)s %%, is kept back from all payments to %(into)s from"
            " now on."
        )
        yield _Step(words % names, partial(_go_on_withholding, merge, there))


def _end_withholding(merge: Merge, row: Withholding) -> None:
    # A stretch is never empty: one that was to begin later ends the day after it begins, without a payment in it.
    until = max(merge.at.date(), row.starts_on + timedelta(days=1))
    Withholding.objects.filter(pk=row.pk, ends_on=None).update(ends_on=until)
    audit.record(merge.by, "withholding.ended", row, at=merge.at, ends_on=until.isoformat(), because="merged")


def _go_on_withholding(merge: Merge, row: Withholding) -> None:
    _end_withholding(merge, row)
    earlier = Withholding.objects.filter(partner=merge.into).order_by("-ends_on").first()
    starts_on = max(
        merge.at.date(), row.starts_on, earlier.ends_on if earlier and earlier.ends_on else row.starts_on
    )
    begun = Withholding.objects.create(
        partner=merge.into,
        rate=row.rate,
        basis=row.basis,
        starts_on=starts_on,
        set_at=merge.at,
        set_by=merge.by,
    )
    audit.record(merge.by, "withholding.set", begun, at=merge.at, rate=row.rate, because="merged")


def _mandates(merge: Merge) -> Iterator[_Step]:
    open_ones = SelfBillingMandate.objects.filter(ended_at=None).select_related("legal_entity")
    here = {each.legal_entity_id for each in open_ones.filter(partner=merge.into)}
    for mandate in open_ones.filter(partner=merge.duplicate).order_by("pk"):
        names = {
            "into": merge.into.name,
            "duplicate": merge.duplicate.name,
            "entity": mandate.legal_entity.name,
        }
        if mandate.legal_entity_id in here:
            words = _(
                "%(entity)s goes on writing invoices by the agreement of %(into)s; that of %(duplicate)s ends."
            )
        else:
            words = _(
                "The agreement by which %(entity)s writes invoices for %(duplicate)s ends, because an agreement is never"
                " handed over: until %(into)s agrees itself, no invoices are written and no VAT is added."
            )
        yield _Step(words % names, partial(_end_mandate, merge, mandate))


def _end_mandate(merge: Merge, mandate: SelfBillingMandate) -> None:
    SelfBillingMandate.objects.filter(pk=mandate.pk, ended_at=None).update(
        ended_at=merge.at, ended_by=merge.by
    )
    audit.record(merge.by, "mandate.ended", mandate, at=merge.at, because="merged")
