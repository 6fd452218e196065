"""Ask where a partner is paid: a kind, then what the kind needs. The form only collects; what is wrong is said by the verbs, at the
field they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payouts.choices import PaymentMethodKind
from payouts.models import PaymentMethod
from payouts.payment_methods.addresses import BANK_KINDS, PARTS, set_address
from payouts.payment_methods.kinds import LONGEST_INSTRUCTIONS
from payouts.payment_methods.verbs import add

if TYPE_CHECKING:
    from partners.models import Partner
    from prm.accounts.models import User

_DETAILS = ("routing_number", "account_number", "account_type", "email", "instructions")
_ALWAYS = frozenset({"kind", "holder", "payout_currency"})
_OPTIONAL = frozenset({"bic", "building_number", "postcode"})
_FIELDS: dict[str, tuple[str, ...]] = {
    PaymentMethodKind.BANK_IBAN.value: ("iban", "bic", *PARTS),
    PaymentMethodKind.US_ACCOUNT.value: ("routing_number", "account_number", "account_type", *PARTS),
    PaymentMethodKind.PAYPAL.value: ("email",),
    PaymentMethodKind.WISE.value: ("email",),
    PaymentMethodKind.OTHER.value: ("instructions",),
}
_NUMBER = {"autocomplete": "off", "spellcheck": "false", "inputmode": "numeric"}
_CODE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}


class PaymentMethodForm(forms.Form):
    """Where a partner is paid to, by kind."""

    kind = forms.ChoiceField(label=_("Kind of account"), widget=forms.RadioSelect)
    holder = forms.CharField(
        label=_("Account holder"),
        max_length=70,
        help_text=_("As the bank or the provider writes it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    payout_currency = forms.ChoiceField(label=_("Paid in"), required=False)
    iban = forms.CharField(
        label=_("IBAN"),
        required=False,
        max_length=50,
        help_text=_("Spaces do not matter."),
        widget=forms.TextInput(attrs=_CODE),
    )
    bic = forms.CharField(
        label=_("BIC"),
        required=False,
        max_length=11,
        help_text=_("8 or 11 letters and digits. Leave it empty if your bank does not ask for it."),
        widget=forms.TextInput(attrs=_CODE),
    )
    routing_number = forms.CharField(
        label=_("Routing number"),
        required=False,
        max_length=20,
        help_text=_("9 digits, also called ABA number."),
        widget=forms.TextInput(attrs=_NUMBER),
    )
    account_number = forms.CharField(
        label=_("Account number"), required=False, max_length=30, widget=forms.TextInput(attrs=_NUMBER)
    )
    account_type = forms.ChoiceField(
        label=_("Type of account"),
        required=False,
        choices=[("checking", _("Checking")), ("savings", _("Savings"))],
        widget=forms.RadioSelect,
    )
    email = forms.CharField(
        label=_("E-mail address of the account"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    instructions = forms.CharField(
        label=_("How we can pay you"),
        required=False,
        max_length=LONGEST_INSTRUCTIONS,
        help_text=_("A person reads this and pays by hand."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    street = forms.CharField(
        label=_("Street"),
        required=False,
        max_length=70,
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    building_number = forms.CharField(label=_("House number"), required=False, max_length=16)
    postcode = forms.CharField(
        label=_("Postcode"),
        required=False,
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    town = forms.CharField(
        label=_("Town"),
        required=False,
        max_length=35,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )
    country = forms.ChoiceField(
        label=_("Country"), required=False, widget=forms.Select(attrs={"autocomplete": "country"})
    )

    def __init__(
        self,
        *args: Any,
        partner: Partner,
        currency: str,
        receives: Sequence[str],
        countries: Iterable[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        self.partner, self.currency = partner, currency
        address = {name: getattr(partner, name) for name in PARTS}
        first = {
            "kind": PaymentMethodKind.BANK_IBAN.value,
            "payout_currency": currency,
            "account_type": "checking",
            **address,
        }
        super().__init__(*args, **{**kwargs, "initial": {**first, **kwargs.get("initial", {})}})
        has_dollars = "USD" in receives
        kinds = [each for each in PaymentMethodKind.choices if has_dollars or each[0] != "us_account"]
        self._choose("kind", kinds)
        self._choose("payout_currency", [(code, code) for code in receives])
        self._choose("country", [("", _("Choose a country")), *countries])
        self.has_us_accounts, self.has_currencies = has_dollars, len(receives) > 1

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen kind needs; what belongs to other kinds does not count."""
        cleaned = super().clean() or {}
        asked = _FIELDS.get(cleaned.get("kind", ""), ())
        for name in set(self.errors) - _ALWAYS - set(asked):
            del self.errors[name]
        for name in asked:
            if name not in _OPTIONAL and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return cleaned

    @transaction.atomic
    def save(self, *, by: User, at: datetime) -> PaymentMethod:
        """Keep the address when banks need it, and the account.

        Raises: Refused.
        """
        given = self.cleaned_data
        kind = given["kind"]
        if kind in BANK_KINDS:
            set_address(self.partner, **{name: given[name] for name in PARTS}, by=by, at=at)
        receives = "USD" if kind == PaymentMethodKind.US_ACCOUNT else given.get("payout_currency", "")
        return add(
            self.partner,
            currency=self.currency,
            payout_currency=receives,
            kind=kind,
            holder=given["holder"],
            iban=given.get("iban", ""),
            bic=given.get("bic", ""),
            details={name: given.get(name, "") for name in _DETAILS},
            by=by,
            at=at,
        )

    def _choose(self, name: str, choices: Iterable[Any]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = list(choices)
