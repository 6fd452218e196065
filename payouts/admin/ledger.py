"""The ledger as finance reads it: accounts with their balances, transactions and entries. Nothing here writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payouts import ledger
from payouts.choices import AccountKind
from payouts.models import Account, Entry, Transaction
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    link_to,
    money_column,
    money_text,
    require,
    when_column,
)
from prm.lib.money import Money

if TYPE_CHECKING:
    EntryTable = admin.TabularInline[Entry, Transaction]
else:
    EntryTable = admin.TabularInline

ENTRIES_SHOWN = 100


@admin.register(Account)
class AccountAdmin(BackOfficeAdmin):
    """Accounts with their balances: credits less debits, so a partner's positive balance is what the program owes."""

    section = gettext_lazy("Ledger")
    sees = "see_ledger"
    change_list_template = "admin/payouts/account/change_list.html"
    list_display = (
        "name",
        "kind",
        "program",
        money_column("balance_minor", gettext_lazy("balance")),
    )
    list_filter = ("kind", "program", "currency")
    list_select_related = ("program", "membership__partner")
    search_fields = ("membership__partner__name",)
    search_help_text = gettext_lazy("Partner")
    ordering = ("program__name", "membership__partner__name", "kind", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """Read each account with its balance."""
        return Account.objects.with_balance().select_related("program", "membership__partner")

    @admin.display(description=gettext_lazy("account"), ordering="membership__partner__name")
    def name(self, account: Account) -> str:
        """Return whose account it is."""
        return name_of(account)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Put the trial balance above the list."""
        context = {"trial": trial_rows(), **(extra_context or {})}
        return super().changelist_view(request, context)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show an account with its latest entries."""
        require(request, self.sees)
        account = get_object_or_404(self.get_queryset(request), pk=object_id)
        found = (
            Entry.objects.filter(Q(debit=account) | Q(credit=account))
            .select_related("transaction", "debit__membership__partner", "credit__membership__partner")
            .select_related("debit__program", "credit__program")
            .order_by("-transaction__effective_at", "-pk")
        )
        count = found.count()
        return self.page(
            request,
            "admin/payouts/account/account.html",
            title=name_of(account),
            account=account,
            facts=[
                Fact(_("Kind"), account.get_kind_display()),
                Fact(_("Program"), account.program.name),
                Fact(_("Currency"), account.currency),
                Fact(_("Entries"), count),
            ],
            balance=_balance(account),
            entries=[_entry_row(entry, account) for entry in found[:ENTRIES_SHOWN]],
            hidden=max(0, count - ENTRIES_SHOWN),
        )


class EntryInline(EntryTable):
    """The entries of a transaction."""

    model = Entry
    template = "admin/rows.html"
    fields = ("from_account", "to_account", "amount")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        """Read the accounts with the rows."""
        return (
            super()
            .get_queryset(request)
            .select_related("debit__membership__partner", "credit__membership__partner")
            .select_related("debit__program", "credit__program")
            .order_by("pk")
        )

    @admin.display(description=gettext_lazy("debit"))
    def from_account(self, entry: Entry) -> str:
        """Return the account debited."""
        return link_to(entry.debit, name_of(entry.debit))

    @admin.display(description=gettext_lazy("credit"))
    def to_account(self, entry: Entry) -> str:
        """Return the account credited."""
        return link_to(entry.credit, name_of(entry.credit))

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, entry: Entry) -> str:
        """Return the amount moved."""
        return money_text(Money(entry.amount_minor, entry.currency))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those look who may see the ledger."""
        return policy.may(request.user, "see_ledger")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Entries are written by the ledger."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes an entry."""
        return False


@admin.register(Transaction)
class TransactionAdmin(BackOfficeAdmin):
    """Transactions, the newest first."""

    sees = "see_ledger"
    list_display = (
        "public_id",
        "kind",
        "period",
        when_column("effective_at", gettext_lazy("effective")),
        when_column("posted_at", gettext_lazy("posted")),
        "posted_by",
        "reason",
    )
    list_filter = ("kind", "period__program", "effective_at")
    list_select_related = ("period", "posted_by")
    search_fields = ("public_id", "key")
    search_help_text = gettext_lazy("Id or key")
    ordering = ("-effective_at", "-pk")
    inlines = (EntryInline,)
    fields = (
        "public_id",
        "key",
        "kind",
        "period",
        "effective_at",
        "posted_at",
        "posted_by",
        "reason",
        "reverses",
    )
    readonly_fields = fields


def name_of(account: Account) -> str:
    """Return whose account it is and what it holds."""
    whose = account.membership.partner.name if account.membership is not None else account.program.name
    return f"{whose}: {account.get_kind_display()}"


def trial_rows() -> list[tuple[str, list[Fact], Money]]:
    """Return, for each currency, the sum of every kind of account and the sum of those, which is zero."""
    by_currency: dict[str, dict[str, Money]] = {}
    for (kind, currency), amount in ledger.trial_balance().items():
        by_currency.setdefault(currency, {})[kind] = amount
    return [
        (
            currency,
            [Fact(AccountKind(kind).label, kinds[kind]) for kind in AccountKind.values if kind in kinds],
            Money.total(kinds.values(), currency),
        )
        for currency, kinds in sorted(by_currency.items())
    ]


def _balance(account: Account) -> Money:
    minor: int = getattr(account, "balance_minor", 0)
    return Money(minor, account.currency)


def _entry_row(entry: Entry, account: Account) -> dict[str, Any]:
    is_credit = entry.credit_id == account.pk
    other = entry.debit if is_credit else entry.credit
    amount = Money(entry.amount_minor, entry.currency)
    return {
        "transaction": entry.transaction,
        "link": link_to(entry.transaction, entry.transaction.get_kind_display()),
        "other": link_to(other, name_of(other)),
        "amount": amount if is_credit else -amount,
    }
