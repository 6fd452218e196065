"""Room for all the ways money leaves: chains, pauses, adjustments, disputes, tax, rates, checks and results."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import prm.lib.fields

_TRIGGERS = {
    "postgresql": "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND c.relname LIKE 'payouts\\_%'",
    "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'payouts\\_%' ESCAPE '\\'",
}


def put_guards_aside(apps, schema_editor):
    """Drop the guards of these tables while they are rebuilt; a later migration of this series puts them back."""
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_TRIGGERS[vendor])
        found = cursor.fetchall()
        for name, table in found:
            on = f" ON {table}" if vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on}")


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0002_guards"),
        ("payouts", "0003_statement_guards"),
        ("tiers", "0003_money_out"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(put_guards_aside, migrations.RunPython.noop),
        migrations.CreateModel(
            name="AccountCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "account_kind",
                    models.CharField(
                        choices=[
                            ("pending", "On hold"),
                            ("payable", "Ready to pay"),
                            ("in_payment", "On its way"),
                            ("expense", "Commission expense"),
                            ("cash", "Bank"),
                            ("advances", "Advances to partners"),
                            ("tax_withheld", "Tax withheld"),
                            ("input_vat", "Input VAT"),
                            ("fx_clearing", "Currency clearing"),
                            ("payout_fees", "Bank fees"),
                            ("bad_debt", "Debts written off"),
                        ],
                        max_length=12,
                        verbose_name="account",
                    ),
                ),
                ("code", models.CharField(max_length=20, verbose_name="code in your books")),
                ("name", models.CharField(blank=True, max_length=80, verbose_name="name in your books")),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account_codes",
                        to="tiers.legalentity",
                    ),
                ),
            ],
            options={
                "verbose_name": "account code",
                "verbose_name_plural": "account codes",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("legal_entity", "account_kind"), name="payouts_accountcode_one_per_account"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "account_kind__in",
                                [
                                    "pending",
                                    "payable",
                                    "in_payment",
                                    "expense",
                                    "cash",
                                    "advances",
                                    "tax_withheld",
                                    "input_vat",
                                    "fx_clearing",
                                    "payout_fees",
                                    "bad_debt",
                                ],
                            )
                        ),
                        name="payouts_accountcode_account_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountSignal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="sig")),
                ("raised_at", models.DateTimeField(verbose_name="raised")),
                ("cleared_at", models.DateTimeField(blank=True, null=True, verbose_name="cleared")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "cleared_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "method",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signals",
                        to="payouts.paymentmethod",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.paymentmethod",
                    ),
                ),
            ],
            options={
                "verbose_name": "shared account",
                "verbose_name_plural": "shared accounts",
                "constraints": [
                    models.UniqueConstraint(fields=("method", "other"), name="payouts_accountsignal_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cleared_at__isnull", True), ("cleared_by__isnull", True)),
                            models.Q(("cleared_at__isnull", False), ("cleared_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_accountsignal_cleared_pair",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChainLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveBigIntegerField(verbose_name="position")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chain_links",
                        to="partners.membership",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chain_links",
                        to="payouts.transaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "chain link",
                "verbose_name_plural": "chain links",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "position"), name="payouts_chainlink_one_per_position"
                    ),
                    models.UniqueConstraint(
                        fields=("transaction", "membership"), name="payouts_chainlink_once_per_transaction"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="dsp")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("rate", "The rate is wrong"),
                            ("amount", "The order's amount is wrong"),
                            ("refund", "The refund is wrong"),
                            ("credit", "Somebody else was credited"),
                            ("missing", "Something is missing"),
                            ("late", "It is late"),
                            ("other", "Something else"),
                        ],
                        max_length=10,
                        verbose_name="what is wrong",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("opened", "Open"),
                            ("answered", "Answered"),
                            ("waiting_partner", "Waiting for you"),
                            ("accepted", "Accepted"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="asked")),
                ("answer_by_at", models.DateTimeField(verbose_name="answer promised by")),
                (
                    "first_answered_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="first answered"),
                ),
                (
                    "suggested_minor",
                    models.BigIntegerField(
                        blank=True, null=True, verbose_name="correction suggested, in minor units"
                    ),
                ),
                (
                    "suggestion",
                    models.JSONField(blank=True, default=dict, verbose_name="how the suggestion comes about"),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                (
                    "commission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="payouts.commission",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="partners.membership",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "dispute",
                "verbose_name_plural": "disputes",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cause__in", ["rate", "amount", "refund", "credit", "missing", "late", "other"])
                        ),
                        name="payouts_dispute_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["opened", "answered", "waiting_partner", "accepted", "refused", "withdrawn"],
                            )
                        ),
                        name="payouts_dispute_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by__isnull", True)),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_dispute_decided_pair",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["opened", "answered", "waiting_partner"])),
                        fields=("commission",),
                        name="payouts_dispute_one_open_per_line",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at", None), ("state__in", ["opened", "answered", "waiting_partner"])
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("state__in", ["accepted", "refused", "withdrawn"]),
                            ),
                            _connector="OR",
                        ),
                        name="payouts_dispute_open_or_decided",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="adj")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("adjustment", "Correction"),
                            ("bonus", "Bonus"),
                            ("spiff", "SPIFF"),
                            ("draw", "Advance"),
                            ("mdf", "Marketing costs reimbursed"),
                            ("write_off", "Debt written off"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "amount_minor",
                    models.BigIntegerField(verbose_name="amount, in minor units; negative takes"),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("order_correction", "Order corrected"),
                            ("tracking_error", "Sale not tracked"),
                            ("duplicate", "Counted twice"),
                            ("outside_terms", "Outside the terms"),
                            ("goodwill", "Goodwill"),
                            ("campaign", "Campaign"),
                            ("marketing", "Marketing costs"),
                            ("advance", "Advance agreed"),
                            ("dispute", "Question accepted"),
                            ("left_in_debt", "The partner left with a debt"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("note", models.CharField(max_length=200, verbose_name="what the partner reads")),
                (
                    "internal_note",
                    models.TextField(blank=True, max_length=2000, verbose_name="internal note"),
                ),
                (
                    "is_taxable",
                    models.BooleanField(default=True, verbose_name="part of the self-billed invoice"),
                ),
                ("evidence", models.FileField(blank=True, upload_to="evidence/", verbose_name="evidence")),
                ("evidence_name", models.CharField(blank=True, max_length=120)),
                ("evidence_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "To approve"),
                            ("posted", "Booked"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("proposed_at", models.DateTimeField(verbose_name="proposed")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                (
                    "decision_note",
                    models.CharField(blank=True, max_length=200, verbose_name="note on the decision"),
                ),
                ("needs_second_person", models.BooleanField(verbose_name="needs a second person")),
                (
                    "commission",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="payouts.commission",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="partners.membership",
                    ),
                ),
                (
                    "posted_in",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustment",
                        to="payouts.transaction",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="payouts.dispute",
                    ),
                ),
            ],
            options={
                "verbose_name": "adjustment",
                "verbose_name_plural": "adjustments",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["adjustment", "bonus", "spiff", "draw", "mdf", "write_off"])
                        ),
                        name="payouts_adjustment_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "order_correction",
                                    "tracking_error",
                                    "duplicate",
                                    "outside_terms",
                                    "goodwill",
                                    "campaign",
                                    "marketing",
                                    "advance",
                                    "dispute",
                                    "left_in_debt",
                                    "other",
                                ],
                            )
                        ),
                        name="payouts_adjustment_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "posted", "refused", "withdrawn"])),
                        name="payouts_adjustment_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor", 0), _negated=True),
                        name="payouts_adjustment_not_zero",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("note", ""), _negated=True), name="payouts_adjustment_has_a_note"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by__isnull", True)),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_adjustment_decided_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("posted_in__isnull", False), ("state", "posted")),
                            models.Q(models.Q(("state", "posted"), _negated=True), ("posted_in", None)),
                            _connector="OR",
                        ),
                        name="payouts_adjustment_posted_in_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("needs_second_person", False),
                            models.Q(("state", "posted"), _negated=True),
                            models.Q(
                                ("decided_by__isnull", False),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="payouts_adjustment_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DisputeMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_from_partner", models.BooleanField(verbose_name="written by the partner")),
                ("text", models.TextField(max_length=4000, verbose_name="text")),
                ("written_at", models.DateTimeField(verbose_name="written")),
                ("evidence", models.FileField(blank=True, upload_to="evidence/", verbose_name="evidence")),
                ("evidence_name", models.CharField(blank=True, max_length=120)),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="payouts.dispute",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "message of a dispute",
                "verbose_name_plural": "messages of disputes",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="payouts_disputemessage_says_something",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FxRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("base", models.CharField(max_length=3, verbose_name="from")),
                ("quote", models.CharField(max_length=3, verbose_name="to")),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20, verbose_name="rate")),
                ("rate_on", models.DateField(verbose_name="day")),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                ("entered_at", models.DateTimeField(verbose_name="entered")),
                (
                    "entered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "exchange rate",
                "verbose_name_plural": "exchange rates",
                "indexes": [models.Index(fields=["base", "quote", "-rate_on"], name="payouts_fxrate_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("base", "quote", "rate_on", "source"), name="payouts_fxrate_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gt", 0)), name="payouts_fxrate_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("base", models.F("quote")), _negated=True),
                        name="payouts_fxrate_two_currencies",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="pau")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("risk", "Under review"),
                            ("dispute", "A question is open"),
                            ("missing_data", "Something is missing"),
                            ("other", "Other"),
                        ],
                        max_length=14,
                        verbose_name="cause",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        help_text="The partner reads this.", max_length=200, verbose_name="reason"
                    ),
                ),
                ("review_on", models.DateField(verbose_name="looked at again by")),
                ("paused_at", models.DateTimeField(verbose_name="paused")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("outcome", models.CharField(blank=True, max_length=200, verbose_name="what came of it")),
                (
                    "commission",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="payouts.commission",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="partners.membership",
                    ),
                ),
                (
                    "paused_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "pause",
                "verbose_name_plural": "pauses",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cause__in", ["risk", "dispute", "missing_data", "other"])),
                        name="payouts_pause_cause",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("commission__isnull", False), ("ended_at", None)),
                        fields=("commission",),
                        name="payouts_pause_one_open_per_line",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("commission", None), ("ended_at", None)),
                        fields=("membership", "cause"),
                        name="payouts_pause_one_open_per_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="payouts_pause_has_a_reason"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayableDateChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("was_payable_at", models.DateTimeField(verbose_name="was ready to pay from")),
                ("payable_at", models.DateTimeField(verbose_name="ready to pay from")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("changed_at", models.DateTimeField(verbose_name="changed")),
                (
                    "changed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "commission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="date_changes",
                        to="payouts.commission",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a payable date",
                "verbose_name_plural": "changes of payable dates",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="payouts_payabledatechange_has_a_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentFileTaken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("taken_at", models.DateTimeField(verbose_name="taken")),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken",
                        to="payouts.paymentfile",
                    ),
                ),
                (
                    "taken_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "payment file taken",
                "verbose_name_plural": "payment files taken",
            },
        ),
        migrations.CreateModel(
            name="PayRunCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("new_payee", "Paid for the first time"),
                            ("changed_account", "Bank details changed in the last 30 days"),
                            ("unusual_amount", "More than three times the usual amount"),
                            ("negative", "Negative balance carried over"),
                            ("missing_data", "Something is missing"),
                            ("shared_account", "Two partners are paid to one account"),
                            ("total_changed", "The total differs much from last month"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("facts", models.JSONField(blank=True, default=dict, verbose_name="figures")),
                ("raised_at", models.DateTimeField(verbose_name="raised")),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True, verbose_name="acknowledged")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.membership",
                    ),
                ),
                (
                    "pay_run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checks",
                        to="payouts.payrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "check of a pay run",
                "verbose_name_plural": "checks of pay runs",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("pay_run", "membership", "kind"),
                        name="payouts_payruncheck_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "new_payee",
                                    "changed_account",
                                    "unusual_amount",
                                    "negative",
                                    "missing_data",
                                    "shared_account",
                                    "total_changed",
                                ],
                            )
                        ),
                        name="payouts_payruncheck_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("acknowledged_at__isnull", True), ("acknowledged_by__isnull", True)),
                            models.Q(("acknowledged_at__isnull", False), ("acknowledged_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_payruncheck_acknowledged_pair",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reserve",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("product", models.CharField(blank=True, max_length=100, verbose_name="product")),
                ("category", models.CharField(blank=True, max_length=100, verbose_name="category")),
                ("hold_days", models.PositiveSmallIntegerField(verbose_name="hold, days")),
                (
                    "reason",
                    models.CharField(
                        help_text="The partner reads this.", max_length=200, verbose_name="reason"
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="for events from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="for events before")),
                ("set_at", models.DateTimeField(verbose_name="set")),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reserves",
                        to="partners.membership",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reserves",
                        to="tiers.program",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "longer hold",
                "verbose_name_plural": "longer holds",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="payouts_reserve_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("membership__isnull", False),
                            models.Q(("category", ""), ("product", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="payouts_reserve_is_about_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ResultFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="res")),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("camt.053", "camt.053"),
                            ("camt.054", "camt.054"),
                            ("pain.002", "pain.002"),
                            ("csv", "CSV"),
                        ],
                        max_length=12,
                        verbose_name="format",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="file name")),
                ("content", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("row_count", models.PositiveIntegerField(verbose_name="bookings read")),
                ("settled_count", models.PositiveIntegerField(default=0, verbose_name="paid")),
                (
                    "returned_count",
                    models.PositiveIntegerField(default=0, verbose_name="refused or returned"),
                ),
                ("known_count", models.PositiveIntegerField(default=0, verbose_name="known before")),
                ("foreign_count", models.PositiveIntegerField(default=0, verbose_name="not ours")),
                ("imported_at", models.DateTimeField(verbose_name="imported")),
                (
                    "imported_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="result_files",
                        to="tiers.legalentity",
                    ),
                ),
            ],
            options={
                "verbose_name": "bank result file",
                "verbose_name_plural": "bank result files",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("legal_entity", "sha256"), name="payouts_resultfile_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("format__in", ["camt.053", "camt.054", "pain.002", "csv"])),
                        name="payouts_resultfile_format",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[("settled", "Paid"), ("failed", "Refused"), ("returned", "Returned")],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=12, verbose_name="bank's code")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("reference", models.CharField(blank=True, max_length=60, verbose_name="bank reference")),
                ("fee_minor", models.BigIntegerField(default=0, verbose_name="fee, in minor units")),
                ("booked_on", models.DateField(blank=True, null=True, verbose_name="booked")),
                ("told_at", models.DateTimeField(verbose_name="told")),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="payouts.payment",
                    ),
                ),
                (
                    "told_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="payouts.resultfile",
                    ),
                ),
            ],
            options={
                "verbose_name": "payment result",
                "verbose_name_plural": "payment results",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["settled", "failed", "returned"])),
                        name="payouts_paymentresult_outcome",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fee_minor__gte", 0)),
                        name="payouts_paymentresult_fee_not_negative",
                    ),
                    models.UniqueConstraint(fields=("payment", "outcome"), name="payouts_paymentresult_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SelfBillingMandate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="sbm")),
                (
                    "agreement_version",
                    models.CharField(max_length=40, verbose_name="version of the agreement"),
                ),
                ("agreement_text", models.TextField(max_length=8000, verbose_name="text agreed")),
                (
                    "accepts_after_days",
                    models.PositiveSmallIntegerField(
                        default=14, verbose_name="an invoice counts as accepted after, days"
                    ),
                ),
                ("series_prefix", models.CharField(max_length=16, verbose_name="prefix of invoice numbers")),
                ("agreed_at", models.DateTimeField(verbose_name="agreed")),
                (
                    "agreed_from",
                    models.GenericIPAddressField(blank=True, null=True, verbose_name="agreed from address"),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "agreed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "legal_entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates",
                        to="tiers.legalentity",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates",
                        to="partners.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "self-billing mandate",
                "verbose_name_plural": "self-billing mandates",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("partner", "legal_entity"),
                        name="payouts_selfbillingmandate_one_open",
                    ),
                    models.UniqueConstraint(
                        fields=("legal_entity", "series_prefix"), name="payouts_selfbillingmandate_own_series"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                            models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_selfbillingmandate_ended_pair",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="inv")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invoice", "Self-billed invoice"),
                            ("credit_note", "Self-billed credit note"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True, verbose_name="number")),
                ("year", models.PositiveSmallIntegerField()),
                ("sequence", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("net_minor", models.BigIntegerField(verbose_name="net")),
                ("vat_minor", models.BigIntegerField(verbose_name="VAT")),
                ("gross_minor", models.BigIntegerField(verbose_name="gross")),
                (
                    "vat_mode",
                    models.CharField(
                        choices=[
                            ("domestic", "Domestic VAT"),
                            ("reverse_charge", "Reverse charge"),
                            ("exempt", "Exempt small business"),
                            ("outside_scope", "Outside the scope of VAT"),
                        ],
                        max_length=16,
                        verbose_name="VAT mode",
                    ),
                ),
                (
                    "vat_rate",
                    models.DecimalField(decimal_places=2, max_digits=5, verbose_name="VAT rate, percent"),
                ),
                ("issued_at", models.DateTimeField(verbose_name="issued")),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("fr", "French"), ("pl", "Polish")],
                        default="en",
                        max_length=5,
                    ),
                ),
                ("facts", models.JSONField(verbose_name="frozen facts")),
                ("sha256", models.CharField(max_length=64)),
                ("cii_xml", models.TextField(blank=True, verbose_name="EN 16931 message")),
                ("pdf", models.FileField(blank=True, upload_to="invoices/")),
                ("pdf_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "credits",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credited_by",
                        to="payouts.invoice",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="payouts.statement",
                    ),
                ),
                (
                    "mandate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="payouts.selfbillingmandate",
                    ),
                ),
            ],
            options={
                "verbose_name": "self-billed invoice",
                "verbose_name_plural": "self-billed invoices",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invoice", "credit_note"])),
                        name="payouts_invoice_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("vat_mode__in", ["domestic", "reverse_charge", "exempt", "outside_scope"])
                        ),
                        name="payouts_invoice_vat_mode",
                    ),
                    models.UniqueConstraint(
                        fields=("mandate", "year", "sequence"), name="payouts_invoice_gapless_number"
                    ),
                    models.UniqueConstraint(
                        fields=("statement", "kind"), name="payouts_invoice_once_per_statement"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("credits__isnull", False)),
                        fields=("credits",),
                        name="payouts_invoice_credited_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "gross_minor",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("net_minor"), "+", models.F("vat_minor")
                                ),
                            ),
                            ("net_minor__gt", 0),
                            ("vat_minor__gte", 0),
                        ),
                        name="payouts_invoice_adds_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaxForm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="txf")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("w9", "Form W-9"),
                            ("w8ben", "Form W-8BEN"),
                            ("w8bene", "Form W-8BEN-E"),
                            ("residence", "Certificate of residence"),
                            ("other", "Other"),
                        ],
                        max_length=10,
                        verbose_name="form",
                    ),
                ),
                ("tax_number", prm.lib.fields.EncryptedTextField(blank=True, verbose_name="tax number")),
                ("tax_number_ending", models.CharField(blank=True, max_length=4)),
                ("signed_on", models.DateField(verbose_name="signed")),
                ("expires_on", models.DateField(blank=True, null=True, verbose_name="valid until")),
                ("document", models.FileField(blank=True, upload_to="tax-forms/", verbose_name="document")),
                ("document_name", models.CharField(blank=True, max_length=120)),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_forms",
                        to="partners.partner",
                    ),
                ),
                (
                    "received_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "tax form",
                "verbose_name_plural": "tax forms",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["w9", "w8ben", "w8bene", "residence", "other"])),
                        name="payouts_taxform_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_on__isnull", True),
                            ("expires_on__gt", models.F("signed_on")),
                            _connector="OR",
                        ),
                        name="payouts_taxform_expires_after_signature",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at__isnull", True), ("revoked_by__isnull", True)),
                            models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_taxform_revoked_pair",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaxProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="tax")),
                ("country_code", models.CharField(max_length=2, verbose_name="country")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("business", "Business registered for VAT"),
                            ("small_business", "Small business exempt from VAT"),
                            ("business_abroad", "Business abroad"),
                            ("private", "Private person"),
                        ],
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                (
                    "vat_mode",
                    models.CharField(
                        choices=[
                            ("domestic", "Domestic VAT"),
                            ("reverse_charge", "Reverse charge"),
                            ("exempt", "Exempt small business"),
                            ("outside_scope", "Outside the scope of VAT"),
                        ],
                        max_length=16,
                        verbose_name="VAT",
                    ),
                ),
                (
                    "vat_rate",
                    models.DecimalField(
                        decimal_places=2, default=0, max_digits=5, verbose_name="VAT rate, percent"
                    ),
                ),
                ("vat_number", models.CharField(blank=True, max_length=20, verbose_name="VAT number")),
                (
                    "registration_number",
                    models.CharField(blank=True, max_length=30, verbose_name="registration number"),
                ),
                (
                    "exemption_reason",
                    models.CharField(blank=True, max_length=200, verbose_name="reason no VAT is charged"),
                ),
                (
                    "needs_form",
                    models.BooleanField(default=False, verbose_name="paid only with a valid tax form"),
                ),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("set_at", models.DateTimeField(verbose_name="set")),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_profiles",
                        to="partners.partner",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "tax profile",
                "verbose_name_plural": "tax profiles",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ends_at__isnull", True)),
                        fields=("partner",),
                        name="payouts_taxprofile_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="payouts_taxprofile_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["business", "small_business", "business_abroad", "private"])
                        ),
                        name="payouts_taxprofile_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("vat_mode__in", ["domestic", "reverse_charge", "exempt", "outside_scope"])
                        ),
                        name="payouts_taxprofile_vat_mode",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("vat_mode", "domestic"), ("vat_rate__gt", 0), ("vat_rate__lte", 50)),
                            models.Q(models.Q(("vat_mode", "domestic"), _negated=True), ("vat_rate", 0)),
                            _connector="OR",
                        ),
                        name="payouts_taxprofile_rate_only_when_domestic",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Withholding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="wht")),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=2, max_digits=5, verbose_name="percent of the payment"
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        help_text="The law, treaty or certificate.",
                        max_length=200,
                        verbose_name="what it rests on",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="for payments from")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="for payments before")),
                ("set_at", models.DateTimeField(verbose_name="set")),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withholdings",
                        to="partners.partner",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "withholding",
                "verbose_name_plural": "withholdings",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ends_on__isnull", True)),
                        fields=("partner",),
                        name="payouts_withholding_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on__isnull", True), ("ends_on__gt", models.F("starts_on")), _connector="OR"
                        ),
                        name="payouts_withholding_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gte", 0), ("rate__lte", 100)),
                        name="payouts_withholding_rate_0_to_100",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="account",
            name="payouts_account_kind",
        ),
        migrations.RemoveConstraint(
            model_name="account",
            name="payouts_account_partner_kinds_have_a_membership",
        ),
        migrations.RemoveConstraint(
            model_name="numberseries",
            name="payouts_numberseries_one_per_year",
        ),
        migrations.RemoveConstraint(
            model_name="paymentfile",
            name="payouts_paymentfile_one_per_format",
        ),
        migrations.RemoveConstraint(
            model_name="paymentmethod",
            name="payouts_paymentmethod_kind",
        ),
        migrations.RemoveConstraint(
            model_name="payrunexception",
            name="payouts_payrunexception_reason",
        ),
        migrations.RemoveConstraint(
            model_name="statement",
            name="payouts_statement_once_per_month",
        ),
        migrations.RemoveConstraint(
            model_name="statement",
            name="payouts_statement_state",
        ),
        migrations.RemoveConstraint(
            model_name="statement",
            name="payouts_statement_bridge_adds_up",
        ),
        migrations.RemoveConstraint(
            model_name="transaction",
            name="payouts_transaction_kind",
        ),
        migrations.RenameField(
            model_name="paymentmethod",
            old_name="iban_index",
            new_name="account_index",
        ),
        migrations.RenameField(
            model_name="payment",
            old_name="iban_last4",
            new_name="ending",
        ),
        migrations.RenameField(
            model_name="paymentmethod",
            old_name="iban_last4",
            new_name="ending",
        ),
        migrations.AddField(
            model_name="numberseries",
            name="series",
            field=models.CharField(default="statement", max_length=60),
        ),
        migrations.AddField(
            model_name="payment",
            name="details",
            field=prm.lib.fields.EncryptedTextField(blank=True, verbose_name="details"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="ending",
            field=models.CharField(max_length=40),
        ),
        migrations.AddField(
            model_name="payment",
            name="failure_code",
            field=models.CharField(blank=True, max_length=12, verbose_name="bank's code"),
        ),
        migrations.AddField(
            model_name="payment",
            name="kind",
            field=models.CharField(
                choices=[
                    ("bank_iban", "Bank account with IBAN"),
                    ("us_account", "US bank account"),
                    ("paypal", "PayPal"),
                    ("wise", "Wise"),
                    ("other", "Another way"),
                ],
                default="bank_iban",
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="sent_currency",
            field=models.CharField(default="", max_length=3, verbose_name="sent in"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="payment",
            name="sent_minor",
            field=models.BigIntegerField(
                default=0,
                help_text="What the bank is told, in the currency it is told.",
                verbose_name="sent, in minor units",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="payment",
            name="withheld_minor",
            field=models.BigIntegerField(default=0, verbose_name="tax withheld"),
        ),
        migrations.AddField(
            model_name="paymentfile",
            name="currency",
            field=models.CharField(default="", max_length=3, verbose_name="currency"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="paymentfile",
            name="number",
            field=models.CharField(default="", max_length=40, verbose_name="number"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="paymentfile",
            name="part",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="part"),
        ),
        migrations.AddField(
            model_name="paymentmethod",
            name="details",
            field=prm.lib.fields.EncryptedTextField(
                blank=True, help_text="What the kind needs besides an IBAN, as JSON.", verbose_name="details"
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethod",
            name="ending",
            field=models.CharField(help_text="What is shown of the account: never more.", max_length=40),
        ),
        migrations.AddField(
            model_name="paymentmethod",
            name="payout_currency",
            field=models.CharField(
                default="",
                help_text="The currency the account receives.",
                max_length=3,
                verbose_name="paid in",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="payrunexception",
            name="detail",
            field=models.CharField(blank=True, max_length=200, verbose_name="detail"),
        ),
        migrations.AddField(
            model_name="statement",
            name="correction_reason",
            field=models.CharField(blank=True, max_length=200, verbose_name="reason of the correction"),
        ),
        migrations.AddField(
            model_name="statement",
            name="corrects",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="payouts.statement",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="kind",
            field=models.CharField(
                choices=[("statement", "Statement"), ("credit_note", "Credit note")],
                default="statement",
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="statement",
            name="vat_minor",
            field=models.BigIntegerField(default=0, verbose_name="VAT"),
        ),
        migrations.AddField(
            model_name="statement",
            name="withheld_minor",
            field=models.BigIntegerField(default=0, verbose_name="tax withheld since, zero or negative"),
        ),
        migrations.AddField(
            model_name="statementline",
            name="transaction",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="statement_lines",
                to="payouts.transaction",
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(
                choices=[
                    ("pending", "On hold"),
                    ("payable", "Ready to pay"),
                    ("in_payment", "On its way"),
                    ("expense", "Commission expense"),
                    ("cash", "Bank"),
                    ("advances", "Advances to partners"),
                    ("tax_withheld", "Tax withheld"),
                    ("input_vat", "Input VAT"),
                    ("fx_clearing", "Currency clearing"),
                    ("payout_fees", "Bank fees"),
                    ("bad_debt", "Debts written off"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="amount_minor",
            field=models.BigIntegerField(
                help_text="What leaves the balance, before tax.", verbose_name="amount, in minor units"
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="iban",
            field=prm.lib.fields.EncryptedTextField(blank=True, verbose_name="IBAN"),
        ),
        migrations.AlterField(
            model_name="paymentmethod",
            name="currency",
            field=models.CharField(
                help_text="Balances in this currency are paid here.", max_length=3, verbose_name="currency"
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethod",
            name="iban",
            field=prm.lib.fields.EncryptedTextField(blank=True, verbose_name="IBAN"),
        ),
        migrations.AlterField(
            model_name="paymentmethod",
            name="kind",
            field=models.CharField(
                choices=[
                    ("bank_iban", "Bank account with IBAN"),
                    ("us_account", "US bank account"),
                    ("paypal", "PayPal"),
                    ("wise", "Wise"),
                    ("other", "Another way"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="payrunexception",
            name="reason",
            field=models.CharField(
                choices=[
                    ("below_minimum", "Below the minimum payout"),
                    ("negative", "The balance is negative"),
                    ("no_payment_method", "No bank account"),
                    ("method_cooling", "The bank account was changed too recently"),
                    ("membership_paused", "The membership is suspended"),
                    ("already_in_run", "Another pay run already pays this statement"),
                    ("paused", "Payments are paused"),
                    ("held_back", "Taken out of the run by a person"),
                    ("no_tax_form", "A tax form is missing or has expired"),
                    ("no_fx_rate", "There is no exchange rate for the payment date"),
                    ("nothing_after_tax", "Nothing is left after tax"),
                ],
                max_length=24,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="statement",
            name="state",
            field=models.CharField(
                choices=[
                    ("issued", "Issued"),
                    ("carried_over", "Carried over"),
                    ("paid", "Paid"),
                    ("credited", "Corrected by another"),
                    ("credit_note", "Credit note"),
                ],
                max_length=14,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="statementline",
            name="commission",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="statement_lines",
                to="payouts.commission",
            ),
        ),
        migrations.AlterField(
            model_name="statementline",
            name="kind",
            field=models.CharField(max_length=12),
        ),
        migrations.AlterField(
            model_name="statementline",
            name="order_id",
            field=models.CharField(help_text="The order, or what the line is about.", max_length=100),
        ),
        migrations.AlterField(
            model_name="transaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("accrual", "Commission earned or taken back"),
                    ("release", "Hold elapsed"),
                    ("payment_instructed", "Payment instructed"),
                    ("payment_settled", "Payment confirmed"),
                    ("payment_failed", "Payment failed"),
                    ("adjustment", "Adjustment"),
                    ("write_off", "Debt written off"),
                    ("vat", "VAT on a self-billed invoice"),
                    ("payout_fee", "Bank fee"),
                    ("reversal", "Reversal of a transaction"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "pending",
                            "payable",
                            "in_payment",
                            "expense",
                            "cash",
                            "advances",
                            "tax_withheld",
                            "input_vat",
                            "fx_clearing",
                            "payout_fees",
                            "bad_debt",
                        ],
                    )
                ),
                name="payouts_account_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind__in", ["pending", "payable", "in_payment"]), ("membership__isnull", False)
                    ),
                    models.Q(
                        (
                            "kind__in",
                            (
                                "expense",
                                "cash",
                                "advances",
                                "tax_withheld",
                                "input_vat",
                                "fx_clearing",
                                "payout_fees",
                                "bad_debt",
                            ),
                        ),
                        ("membership__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="payouts_account_partner_kinds_have_a_membership",
            ),
        ),
        migrations.AddConstraint(
            model_name="numberseries",
            constraint=models.UniqueConstraint(
                fields=("legal_entity", "series", "year"), name="payouts_numberseries_one_per_year"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentmethod",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["bank_iban", "us_account", "paypal", "wise", "other"])),
                name="payouts_paymentmethod_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="payrunexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        [
                            "below_minimum",
                            "negative",
                            "no_payment_method",
                            "method_cooling",
                            "membership_paused",
                            "already_in_run",
                            "paused",
                            "held_back",
                            "no_tax_form",
                            "no_fx_rate",
                            "nothing_after_tax",
                        ],
                    )
                ),
                name="payouts_payrunexception_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "statement"), models.Q(("state", "credited"), _negated=True)),
                fields=("membership", "period", "currency"),
                name="payouts_statement_once_per_month",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("corrects__isnull", False)),
                fields=("corrects", "kind"),
                name="payouts_statement_corrected_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["statement", "credit_note"])), name="payouts_statement_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("corrects__isnull", False), ("kind", "credit_note"), ("state", "credit_note")),
                    models.Q(("kind", "statement"), models.Q(("state", "credit_note"), _negated=True)),
                    _connector="OR",
                ),
                name="payouts_statement_credit_note_names_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["issued", "carried_over", "paid", "credited", "credit_note"])
                ),
                name="payouts_statement_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="statement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "closing_minor",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("opening_minor"), "+", models.F("earned_minor")
                                            ),
                                            "+",
                                            models.F("reversed_minor"),
                                        ),
                                        "+",
                                        models.F("adjusted_minor"),
                                    ),
                                    "+",
                                    models.F("vat_minor"),
                                ),
                                "+",
                                models.F("withheld_minor"),
                            ),
                            "+",
                            models.F("paid_minor"),
                        ),
                    )
                ),
                name="payouts_statement_bridge_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.UniqueConstraint(
                fields=("statement", "commission"), name="payouts_statementline_commission_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("commission__isnull", False), ("transaction", None)),
                    models.Q(("commission", None), ("transaction__isnull", False)),
                    _connector="OR",
                ),
                name="payouts_statementline_commission_or_transaction",
            ),
        ),
        migrations.AddConstraint(
            model_name="transaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "accrual",
                            "release",
                            "payment_instructed",
                            "payment_settled",
                            "payment_failed",
                            "adjustment",
                            "write_off",
                            "vat",
                            "payout_fee",
                            "reversal",
                        ],
                    )
                ),
                name="payouts_transaction_kind",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="fx_rate",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="payouts.fxrate",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="withholding",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="payouts.withholding",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("withheld_minor__gte", 0)), name="payouts_payment_withheld_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["bank_iban", "us_account", "paypal", "wise", "other"])),
                name="payouts_payment_kind",
            ),
        ),
    ]
