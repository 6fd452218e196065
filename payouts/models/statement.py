"""A statement: a membership's month, frozen when issued. Its number comes from a gapless series and its closing balance is
the next one's opening balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from payouts.choices import StatementKind, StatementState
from prm.accounts import policy
from prm.lib.constraints import one_of
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField
from prm.lib.money import Money

if TYPE_CHECKING:
    from prm.accounts.models import User


class NumberSeries(models.Model):
    """The locked counter numbers are drawn from, inside the issuing transaction, so that no number is lost.

    Statements share one series per entity and year, payment files another; each self-billing mandate has its own for invoices.
    """

    legal_entity = models.ForeignKey("tiers.LegalEntity", models.PROTECT, related_name="number_series")
    series = models.CharField(max_length=60, default="statement")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "series", "year"], name="payouts_numberseries_one_per_year"
            )
        ]

    def __str__(self) -> str:
        return f"{self.legal_entity_id} {self.series} {self.year}: {self.last}"


class StatementQuerySet(Lockable["Statement"]):
    def visible_to(self, user: User) -> StatementQuerySet:
        if policy.may(user, "see_statements"):
            return self
        return self.filter(
            membership__partner__members__user=user, membership__partner__members__ended_at=None
        )

    def latest_first(self) -> StatementQuerySet:
        return self.order_by("-period__year", "-period__month", "-pk")

    def in_force(self) -> StatementQuerySet:
        """Statements that were not corrected by another one; credit notes are none."""
        return self.filter(kind=StatementKind.STATEMENT).exclude(state=StatementState.CREDITED)


class Statement(models.Model):
    public_id = PublicIdField(prefix="stm")
    legal_entity = models.ForeignKey("tiers.LegalEntity", models.PROTECT, related_name="statements")
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    number = models.CharField(_("number"), max_length=32, unique=True)
    membership = models.ForeignKey("partners.Membership", models.PROTECT, related_name="statements")
    period = models.ForeignKey("payouts.Period", models.PROTECT, related_name="statements")
    currency = models.CharField(_("currency"), max_length=3)
    kind = models.CharField(
        _("kind"), max_length=12, choices=StatementKind.choices, default=StatementKind.STATEMENT
    )
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="corrections")
    correction_reason = models.CharField(_("reason of the correction"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=14, choices=StatementState.choices)
    opening_minor = models.BigIntegerField(_("opening balance"))
    earned_minor = models.BigIntegerField(_("commissions"))
    reversed_minor = models.BigIntegerField(_("reversals, zero or negative"))
    adjusted_minor = models.BigIntegerField(_("adjustments"), default=0)
    vat_minor = models.BigIntegerField(_("VAT"), default=0)
    withheld_minor = models.BigIntegerField(_("tax withheld since, zero or negative"), default=0)
    paid_minor = models.BigIntegerField(_("paid since, zero or negative"))
    closing_minor = models.BigIntegerField(_("closing balance"))
    line_count = models.PositiveIntegerField(default=0)
    issued_at = models.DateTimeField(_("issued"))
    due_on = models.DateField(_("payment date"), null=True, blank=True)
    language = models.CharField(max_length=5, default="en", choices=settings.LANGUAGES)
    facts = models.JSONField(
        _("frozen facts"), help_text=_("Parties, bridge and minimum as they were when issued.")
    )
    sha256 = models.CharField(max_length=64)
    check_code = models.CharField(max_length=12)
    pdf = models.FileField(upload_to="statements/", blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "period", "currency"],
                condition=models.Q(kind="statement") & ~models.Q(state="credited"),
                name="payouts_statement_once_per_month",
            ),
            models.UniqueConstraint(
                fields=["corrects", "kind"],
                condition=models.Q(corrects__isnull=False),
                name="payouts_statement_corrected_once",
            ),
            one_of("kind", StatementKind, name="payouts_statement_kind"),
            models.CheckConstraint(
                condition=models.Q(kind="credit_note", state="credit_note", corrects__isnull=False)
                | (models.Q(kind="statement") & ~models.Q(state="credit_note")),
                name="payouts_statement_credit_note_names_one",
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "year", "sequence"], name="payouts_statement_gapless_number"
            ),
            one_of("state", StatementState, name="payouts_statement_state"),
            models.CheckConstraint(
                condition=models.Q(
                    closing_minor=models.F("opening_minor")
                    + models.F("earned_minor")
                    + models.F("reversed_minor")
                    + models.F("adjusted_minor")
                    + models.F("vat_minor")
                    + models.F("withheld_minor")
                    + models.F("paid_minor")
                ),
                name="payouts_statement_bridge_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def lists_everything(self) -> bool:
        """Tell whether every movement has a line; statements of the first layout list commissions only."""
        return "others" in self.facts

    @property
    def closing(self) -> Money:
        return Money(self.closing_minor, self.currency)


class StatementLine(models.Model):
    """One line as printed, copied when the statement was issued and never changed: a commission, or a transaction that moved the
    balance without one (an adjustment, VAT, tax withheld, a payment)."""

    statement = models.ForeignKey("payouts.Statement", models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    commission = models.ForeignKey(
        "payouts.Commission", models.PROTECT, null=True, blank=True, related_name="statement_lines"
    )
    transaction = models.ForeignKey(
        "payouts.Transaction", models.PROTECT, null=True, blank=True, related_name="statement_lines"
    )
    occurred_at = models.DateTimeField()
    order_id = models.CharField(max_length=100, help_text=_("The order, or what the line is about."))
    customer = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=12)
    base_minor = models.BigIntegerField()
    rate = models.DecimalField(max_digits=9, decimal_places=6)
    flat_minor = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField()
    from_earlier_period = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("statement line")
        verbose_name_plural = _("statement lines")
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "position"], name="payouts_statementline_one_per_position"
            ),
            models.UniqueConstraint(
                fields=["statement", "commission"], name="payouts_statementline_commission_once"
            ),
            models.CheckConstraint(
                condition=models.Q(commission__isnull=False, transaction=None)
                | models.Q(commission=None, transaction__isnull=False),
                name="payouts_statementline_commission_or_transaction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.position}"
