"""Put the next payment into words: how much, on which day, to which account, and each condition with the way to meet it. The
conditions are shown before they block anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from django.urls import reverse
from django.utils.translation import gettext as _

from payouts import bank_reasons, payment_methods
from payouts.models import PaymentMethod
from payouts.next_payments import NextPayment
from portal.formats import active_locale, date_text
from portal.notices import Notice
from portal.views.money_path import earnings_href
from portal.views.pages import Check, Fact, PaymentCard
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month, local_day


def card(coming: NextPayment, *, zone: tzinfo, may_open_money: bool) -> PaymentCard:
    """Return the card of the next payment; rooms the reader may not enter are not linked."""
    statement = coming.statement
    statement_href = (
        reverse("portal:statement", args=[statement.public_id]) if statement and may_open_money else ""
    )
    month = _month_name(statement.period.as_month) if statement else ""
    return PaymentCard(
        amount=coming.amount,
        amount_href=statement_href or earnings_href("ready"),
        sentence=_sentence(coming),
        checks=tuple(_checks(coming, zone, may_open_money=may_open_money)),
        facts=tuple(_facts(coming)),
        statement_href=statement_href,
        statement_text=_("See the %(month)s statement") % {"month": month} if statement_href else "",
    )


def notices(coming: NextPayment, *, may_open_money: bool) -> list[Notice]:
    """Return what is wrong with the payment, if anything: late, sent back, or nowhere to send it."""
    found: list[Notice] = []
    details = reverse("portal:payment_details") if may_open_money else ""
    if coming.failure is not None:
        text = _("The bank sent your payment of %(amount)s back: %(reason)s") % {
            "amount": _money(coming.failure.amount),
            "reason": bank_reasons.reason_of(coming.failure) or _("no reason given"),
        }
        found.append(
            Notice("bad", text, title=_("Payment failed."), href=details, action=_("Check payment details"))
        )
    elif coming.is_late and not coming.stops and coming.is_above_minimum and coming.is_method_usable:
        text = _("It was due on %(date)s.") % {"date": date_text(coming.due_on)}
        found.append(Notice("bad", text, title=_("This payment is late.")))
    found += [
        Notice(
            "warn",
            _("%(reason)s We look at it again by %(date)s.")
            % {"reason": _sentence_of(stop.reason), "date": date_text(stop.review_on)},
            title=_("Payments to you are paused."),
        )
        for stop in coming.stops
    ]
    if coming.method is None and coming.is_above_minimum:
        text = _("%(amount)s is ready. Add payment details by %(closes)s to be paid on %(due)s.") % {
            "amount": _money(coming.amount),
            "closes": date_text(min(coming.closes_on, coming.due_on)),
            "due": date_text(coming.due_on),
        }
        found.append(
            Notice(
                "warn", text, title=_("We cannot pay you yet."), href=details, action=_("Add payment details")
            )
        )
    return found


def _sentence(coming: NextPayment) -> str:
    due = l10n.date_text(coming.due_on, active_locale(), "long")
    if coming.amount.minor < 0:
        return _("This will be taken from your next commissions.")
    if not coming.is_above_minimum:
        return _("%(amount)s of %(minimum)s. It stays yours and moves to the next statement.") % {
            "amount": _money(coming.amount),
            "minimum": _money(coming.minimum),
        }
    if coming.stops:
        day = l10n.date_text(max(stop.review_on for stop in coming.stops), active_locale(), "long")
        return _("Payments to you are paused. It stays yours; we look at it again by %(date)s.") % {
            "date": day
        }
    if coming.method is None:
        return _("Planned for %(date)s, once we know where to pay.") % {"date": due}
    return _planned(coming, coming.method, due)


def _planned(coming: NextPayment, method: PaymentMethod, due: str) -> str:
    """Say when and how, and in which currency when it is another one than the balance's."""
    is_transfer = method.kind in payment_methods.BANK_KINDS
    if coming.statement is not None:
        text = (
            _("Planned for %(date)s, by bank transfer to %(account)s.")
            if is_transfer
            else _("Planned for %(date)s, to %(account)s.")
        )
    else:
        text = (
            _("About this much on %(date)s, by bank transfer to %(account)s.")
            if is_transfer
            else _("About this much on %(date)s, to %(account)s.")
        )
    said = text % {"date": due, "account": str(method)}
    if method.payout_currency == method.currency or (coming.sent is not None and coming.is_above_minimum):
        return said
    return f"{said} {_('It is converted to %(currency)s.') % {'currency': method.payout_currency}}"


def _facts(coming: NextPayment) -> Iterator[Fact]:
    """Yield what becomes of the amount on its way to the account, where it does not arrive as it is."""
    if coming.amount.minor <= 0:
        return
    if coming.withheld:
        yield Fact(_("Before tax"), _money(coming.amount))
        yield Fact(_("Tax withheld"), _money(-coming.withheld))
        yield Fact(_("After tax"), _money(coming.net))
    if coming.sent is not None and coming.sent.currency != coming.amount.currency:
        yield Fact(_("You receive"), _money(coming.sent))


def _checks(coming: NextPayment, zone: tzinfo, *, may_open_money: bool) -> list[Check]:
    paused = [Check(_("Paused: %(reason)s") % {"reason": stop.reason}, False) for stop in coming.stops]
    method = _method_check(coming, zone, may_open_money=may_open_money)
    if coming.amount.minor > 0 and not coming.minimum:
        return [*paused, method]
    minimum = {"amount": _money(coming.minimum)}
    above = coming.is_above_minimum
    return [
        *paused,
        Check(
            _("Above the %(amount)s minimum") % minimum
            if above
            else _("Below the %(amount)s minimum") % minimum,
            above,
        ),
        method,
    ]


def _method_check(coming: NextPayment, zone: tzinfo, *, may_open_money: bool) -> Check:
    href = reverse("portal:payment_details") if may_open_money else ""
    if coming.method is None:
        return Check(_("No payment details yet."), False, href=href, action=_("Add payment details"))
    if not coming.is_method_usable:
        day = l10n.date_text(local_day(coming.method.usable_at, zone), active_locale(), "long")
        return Check(_("Payment details changed; payments go there from %(date)s.") % {"date": day}, False)
    day = l10n.date_text(local_day(coming.method.usable_at, zone), active_locale(), "long")
    return Check(_("Payment details in use since %(date)s") % {"date": day}, True)


def _month_name(month: Month) -> str:
    return l10n.month_text(month, active_locale(), "name")


def _sentence_of(text: str) -> str:
    """Return a text people wrote with a full stop at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _money(money: Money) -> str:
    return l10n.money_text(money, active_locale())
