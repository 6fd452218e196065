"""Say in plain words why a bank refused a payment or sent it back. The codes are those of ISO 20022's external lists; one that is not
here is told in the bank's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

if TYPE_CHECKING:
    from payouts.models import Payment

NO_REASON = _("The bank gave no reason.")
_ACCOUNT_NUMBER = _("The account number is wrong.")
_CLOSED = _("The account is closed.")
_BLOCKED = _("The account is blocked.")
_NOT_TAKEN = _("This account does not take payments of this kind.")
_TWICE = _("The bank had this payment already.")
_WRONG_NAME = _("The name does not belong to the account.")
_BANK_NOT_FOUND = _("The bank's code (BIC) or the bank itself was not found.")
_ASK_HOLDER = _("The bank needs more about the account holder's name or address.")
_OUR_SIDE = _("The payment was stopped on our side. You need not do anything.")
_OUR_DATA = _("The payment was not filled in the way the bank needs it. You need not do anything.")
_LATER = _("The bank could not pay for technical reasons. You need not do anything.")

PLAIN: dict[str, Promise] = {
    "AC01": _ACCOUNT_NUMBER,
    "AC02": _OUR_SIDE,
    "AC03": _ACCOUNT_NUMBER,
    "AC04": _CLOSED,
    "AC06": _BLOCKED,
    "AC07": _CLOSED,
    "AC13": _("The account is of a kind that cannot be paid to."),
    "AC14": _NOT_TAKEN,
    "AC16": _BLOCKED,
    "AG01": _NOT_TAKEN,
    "AG02": _OUR_DATA,
    "AG03": _NOT_TAKEN,
    "AGNT": _BANK_NOT_FOUND,
    "AM02": _("The amount is more than the account may receive."),
    "AM03": _("The account does not take this currency."),
    "AM04": _OUR_SIDE,
    "AM05": _TWICE,
    "AM09": _("The amount was not the one that was expected."),
    "BE01": _WRONG_NAME,
    "BE04": _("The account holder's address is missing or wrong."),
    "BE05": _OUR_SIDE,
    "BE06": _("The bank does not know the account holder."),
    "BE07": _("The account holder's address is missing or wrong."),
    "BE11": _("The account holder's country is missing or wrong."),
    "CNOR": _BANK_NOT_FOUND,
    "CURR": _("The account does not take this currency."),
    "CUST": _("It was asked to be sent back."),
    "DNOR": _OUR_SIDE,
    "DT01": _OUR_DATA,
    "DUPL": _TWICE,
    "ED05": _LATER,
    "ERIN": _OUR_DATA,
    "FF01": _OUR_DATA,
    "FF05": _OUR_DATA,
    "FOCR": _("It was sent back after it had been called back."),
    "FR01": _("It was stopped because somebody suspected a fraud."),
    "FRAD": _("It was stopped because somebody suspected a fraud."),
    "LEGL": _("The bank is not allowed to make this payment."),
    "MD07": _("The account holder has died."),
    "MS02": _("The account holder or the receiving bank refused it, without saying why."),
    "MS03": _("The receiving bank refused it, without saying why."),
    "NOAS": _("The account holder did not answer the bank."),
    "RC01": _BANK_NOT_FOUND,
    "RC03": _OUR_DATA,
    "RC04": _BANK_NOT_FOUND,
    "RC07": _BANK_NOT_FOUND,
    "RR01": _OUR_DATA,
    "RR02": _OUR_DATA,
    "RR03": _ASK_HOLDER,
    "RR04": _("The bank may not make this payment by law or by its own rules."),
    "SVNR": _NOT_TAKEN,
    "TECH": _LATER,
    "TM01": _LATER,
    "UPAY": _("The bank found that the payment was not due."),
    "AB05": _LATER,
    "AB06": _LATER,
    "AB08": _LATER,
}
# After these the account cannot be right: the next run would meet the same answer.
OF_THE_ACCOUNT = frozenset(
    {"AC01", "AC03", "AC04", "AC06", "AC07", "AC13", "AC14", "AC16", "BE01", "RC01", "RC04", "RC07"}
)


def stored_words(code: str, text: str) -> str:
    """Return the reason to keep with a payment, in English: plain words for a code that is known, else what the bank wrote."""
    with override("en"):
        return str(PLAIN.get(code) or text or NO_REASON)[:200]


def reason_of(payment: Payment) -> str:
    """Return why a payment failed, in the language that is active now."""
    known = PLAIN.get(payment.failure_code)
    return str(known if known is not None else payment.failure_reason)
