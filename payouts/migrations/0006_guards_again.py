"""The guards of all money tables, put back after the tables were rebuilt, with those of the new ones."""

import django.db.models.expressions
from django.db import migrations, models

from prm.lib.db import Trigger, forbid_delete, forbid_update_delete, forbid_update_of, refuse_when, triggers

_COMMISSION_FACTS = [
    "public_id",
    "key",
    "credit_id",
    "conversion_id",
    "membership_id",
    "plan_version_id",
    "rule_key",
    "kind",
    "window",
    "customer_key",
    "volume",
    "base_minor",
    "rate",
    "flat_minor",
    "amount_minor",
    "currency",
    "because",
    "effective_at",
    "period_id",
    "reverses_id",
    "accrued_in_id",
    "computed_at",
]
_CURRENCY_DIFFERS = (
    "(SELECT currency FROM payouts_account WHERE id = NEW.debit_id) <> NEW.currency"
    " OR (SELECT currency FROM payouts_account WHERE id = NEW.credit_id) <> NEW.currency"
)
_CLOSED = "Nothing posts into a closed month."
# A month being closed takes releases and what the month itself brings: retainers, guaranteed amounts, advances. Who writes
# those holds the membership and settles it in the same breath (payouts/month_lines.py); VAT belongs to the statement being issued.
# FOR SHARE makes a close wait for postings under way and makes later ones see that the month is closing.
_CLOSED_MONTH = Trigger(
    name="payouts_transaction_open_month",
    postgresql=[
        """
        CREATE OR REPLACE FUNCTION payouts_transaction_open_month() RETURNS trigger LANGUAGE plpgsql AS $body$
        DECLARE month_state text;
        BEGIN
            SELECT state INTO month_state FROM payouts_period WHERE id = NEW.period_id FOR SHARE;
            IF month_state = 'closed' OR (month_state = 'closing' AND NEW.kind <> 'release'
                AND NOT (NEW.kind = 'accrual' AND NEW.key LIKE 'month:%')
                AND NOT (NEW.kind = 'vat' AND NEW.key LIKE 'vat:%')) THEN
                RAISE EXCEPTION 'Nothing posts into a closed month.' USING ERRCODE = '23000', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
            END IF;
            RETURN NEW;
        END $body$
        """,
        "CREATE TRIGGER payouts_transaction_open_month BEFORE INSERT ON payouts_transaction"
        " FOR EACH ROW EXECUTE FUNCTION payouts_transaction_open_month()",
    ],
    postgresql_drop=[
        "DROP TRIGGER IF EXISTS payouts_transaction_open_month ON payouts_transaction",
        "DROP FUNCTION IF EXISTS payouts_transaction_open_month()",
    ],
    sqlite=[
        "CREATE TRIGGER payouts_transaction_open_month BEFORE INSERT ON payouts_transaction"
        " WHEN EXISTS (SELECT 1 FROM payouts_period WHERE id = NEW.period_id AND"
        " (state = 'closed' OR (state = 'closing' AND NEW.kind <> 'release'"
        " AND NOT (NEW.kind = 'accrual' AND NEW.key LIKE 'month:%')"
        " AND NOT (NEW.kind = 'vat' AND NEW.key LIKE 'vat:%'))))"
        " BEGIN SELECT RAISE(ABORT, 'Nothing posts into a closed month.'); END"
    ],
    sqlite_drop=["DROP TRIGGER IF EXISTS payouts_transaction_open_month"],
)


_STATEMENT_FACTS = [
    "public_id",
    "legal_entity_id",
    "year",
    "sequence",
    "number",
    "membership_id",
    "period_id",
    "currency",
    "opening_minor",
    "earned_minor",
    "reversed_minor",
    "adjusted_minor",
    "vat_minor",
    "withheld_minor",
    "kind",
    "corrects_id",
    "correction_reason",
    "paid_minor",
    "closing_minor",
    "line_count",
    "issued_at",
    "due_on",
    "language",
    "sha256",
    "check_code",
]
# Ciphertext changes when keys are rotated, so the account number is guarded by the hash of the run instead.
_PAYMENT_FACTS = [
    "public_id",
    "pay_run_id",
    "membership_id",
    "statement_id",
    "payment_method_id",
    "amount_minor",
    "currency",
    "holder",
    "withheld_minor",
    "withholding_id",
    "sent_minor",
    "sent_currency",
    "fx_rate_id",
    "kind",
    "ending",
    "bic",
    "end_to_end_id",
]
_FACTS_DIFFER = "OLD.facts IS DISTINCT FROM NEW.facts"
_RUN_DIFFERS = " OR ".join(
    f"OLD.{column} <> NEW.{column}"
    for column in (
        "total_minor",
        "payment_count",
        "sha256",
        "message_id",
        "currency",
        "execute_on",
        "legal_entity_id",
    )
)
_PAUSE_FACTS = [
    "public_id",
    "membership_id",
    "commission_id",
    "cause",
    "reason",
    "review_on",
    "paused_at",
    "paused_by_id",
]
_RESERVE_FACTS = [
    "program_id",
    "membership_id",
    "product",
    "category",
    "hold_days",
    "reason",
    "starts_at",
    "set_at",
    "set_by_id",
]
_ADJUSTMENT_FACTS = [
    "public_id",
    "membership_id",
    "kind",
    "amount_minor",
    "currency",
    "reason",
    "note",
    "is_taxable",
    "commission_id",
    "dispute_id",
    "evidence",
    "evidence_sha256",
    "proposed_at",
    "proposed_by_id",
    "needs_second_person",
]
_TAX_FACTS = [
    "public_id",
    "partner_id",
    "country_code",
    "status",
    "vat_mode",
    "vat_rate",
    "vat_number",
    "registration_number",
    "exemption_reason",
    "needs_form",
    "starts_at",
    "set_at",
    "set_by_id",
]
_MANDATE_FACTS = [
    "public_id",
    "partner_id",
    "legal_entity_id",
    "agreement_version",
    "agreement_text",
    "accepts_after_days",
    "series_prefix",
    "agreed_at",
    "agreed_by_id",
]
_INVOICE_FACTS = [
    "public_id",
    "mandate_id",
    "statement_id",
    "kind",
    "number",
    "year",
    "sequence",
    "currency",
    "net_minor",
    "vat_minor",
    "gross_minor",
    "vat_mode",
    "vat_rate",
    "issued_at",
    "language",
    "sha256",
]


class Migration(migrations.Migration):
    dependencies = [("payouts", "0005_fill")]

    operations = [
        migrations.AlterField(
            model_name="paymentfile",
            name="number",
            field=models.CharField(max_length=40, unique=True, verbose_name="number"),
        ),
        migrations.AddConstraint(
            model_name="paymentfile",
            constraint=models.UniqueConstraint(
                fields=("pay_run", "format", "currency", "part"), name="payouts_paymentfile_one_per_format"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("sent_minor__gt", 0)), name="payouts_payment_sent_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("fx_rate", None),
                        ("sent_currency", models.F("currency")),
                        (
                            "sent_minor",
                            django.db.models.expressions.CombinedExpression(
                                models.F("amount_minor"), "-", models.F("withheld_minor")
                            ),
                        ),
                    ),
                    models.Q(
                        models.Q(("sent_currency", models.F("currency")), _negated=True),
                        ("fx_rate__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="payouts_payment_sent_is_what_is_left",
            ),
        ),
        triggers(
            forbid_update_delete("payouts_entry"),
            forbid_update_delete("payouts_transaction"),
            forbid_update_delete("payouts_chainlink", message="The chain of a membership only grows."),
            forbid_update_delete("payouts_account", message="An account is never changed or deleted."),
            refuse_when(
                "payouts_entry_one_currency",
                "payouts_entry",
                before="INSERT",
                when=_CURRENCY_DIFFERS,
                message="Both accounts of an entry must be in its currency.",
            ),
            refuse_when(
                "payouts_entry_open_month",
                "payouts_entry",
                before="INSERT",
                when="(SELECT p.state FROM payouts_transaction t JOIN payouts_period p ON p.id = t.period_id"
                " WHERE t.id = NEW.transaction_id) = 'closed'",
                message=_CLOSED,
            ),
            _CLOSED_MONTH,
            refuse_when(
                "payouts_period_stays_closed",
                "payouts_period",
                before="UPDATE",
                when="OLD.state = 'closed'",
                message="A closed month does not open again: post a correction in an open one.",
            ),
            forbid_delete("payouts_period"),
            forbid_update_of(
                "payouts_commission",
                _COMMISSION_FACTS,
                message="A commission line is corrected by another line.",
            ),
            forbid_delete("payouts_commission"),
            forbid_update_of(
                "payouts_statement",
                _STATEMENT_FACTS,
                message="A statement is corrected by another statement.",
            ),
            refuse_when(
                "payouts_statement_facts_stay",
                "payouts_statement",
                before="UPDATE",
                when=_FACTS_DIFFER,
                sqlite_when="OLD.facts IS NOT NEW.facts",
                message="What a statement says is frozen.",
            ),
            refuse_when(
                "payouts_statement_one_document",
                "payouts_statement",
                before="UPDATE",
                when="OLD.pdf_sha256 <> '' AND (OLD.pdf_sha256 <> NEW.pdf_sha256 OR OLD.pdf <> NEW.pdf)",
                message="A statement has one document.",
            ),
            forbid_delete("payouts_statement"),
            forbid_update_delete("payouts_statementline", message="Lines of a statement never change."),
            refuse_when(
                "payouts_statementline_no_more",
                "payouts_statementline",
                before="INSERT",
                when="NEW.position > (SELECT line_count FROM payouts_statement WHERE id = NEW.statement_id)",
                message="An issued statement takes no more lines.",
            ),
            forbid_update_of("payouts_payment", _PAYMENT_FACTS, message="A payment is what was prepared."),
            forbid_delete("payouts_payment"),
            refuse_when(
                "payouts_payrun_as_prepared",
                "payouts_payrun",
                before="UPDATE",
                when=f"OLD.state <> 'draft' AND ({_RUN_DIFFERS})",
                message="A pay run is what was prepared.",
            ),
            forbid_delete("payouts_payrun"),
            forbid_update_delete("payouts_paymentfile", message="A file for the bank is made once."),
            refuse_when(
                "payouts_commission_date_is_told",
                "payouts_commission",
                before="UPDATE",
                when="OLD.payable_at <> NEW.payable_at AND NOT EXISTS (SELECT 1 FROM payouts_payabledatechange c"
                " WHERE c.commission_id = OLD.id AND c.was_payable_at = OLD.payable_at AND c.payable_at = NEW.payable_at)",
                message="A payable date moves only with a recorded reason.",
            ),
            forbid_update_delete("payouts_payabledatechange", message="A change of a date is recorded once."),
            forbid_update_of("payouts_pause", _PAUSE_FACTS, message="A pause is ended, never rewritten."),
            forbid_delete("payouts_pause"),
            forbid_update_of(
                "payouts_reserve", _RESERVE_FACTS, message="A longer hold is ended, never rewritten."
            ),
            forbid_delete("payouts_reserve"),
            forbid_update_of(
                "payouts_adjustment",
                _ADJUSTMENT_FACTS,
                message="An adjustment is what was proposed; withdraw it instead.",
            ),
            refuse_when(
                "payouts_adjustment_stays_decided",
                "payouts_adjustment",
                before="UPDATE",
                when="OLD.state <> 'proposed' AND OLD.state <> NEW.state",
                message="An adjustment is decided once.",
            ),
            forbid_delete("payouts_adjustment"),
            forbid_delete("payouts_dispute"),
            forbid_update_of(
                "payouts_dispute",
                ["public_id", "membership_id", "commission_id", "cause", "opened_at", "opened_by_id"],
                message="A question stays as it was asked.",
            ),
            forbid_update_delete("payouts_disputemessage", message="What was written stays written."),
            forbid_update_delete("payouts_fxrate", message="A rate that was used must be found again."),
            forbid_update_delete("payouts_resultfile", message="What the bank sent stays as it came."),
            forbid_update_delete("payouts_paymentresult", message="What the bank said stays said."),
            forbid_update_delete("payouts_paymentfiletaken", message="Who took a file stays known."),
            forbid_update_of(
                "payouts_taxprofile", _TAX_FACTS, message="A tax profile is ended, never rewritten."
            ),
            forbid_delete("payouts_taxprofile"),
            forbid_update_of(
                "payouts_withholding",
                ["public_id", "partner_id", "rate", "basis", "starts_on", "set_at", "set_by_id"],
                message="A withholding is ended, never rewritten.",
            ),
            forbid_delete("payouts_withholding"),
            forbid_update_of(
                "payouts_selfbillingmandate", _MANDATE_FACTS, message="A mandate is ended, never rewritten."
            ),
            forbid_delete("payouts_selfbillingmandate"),
            forbid_update_of(
                "payouts_invoice", _INVOICE_FACTS, message="An invoice is corrected by a credit note."
            ),
            refuse_when(
                "payouts_invoice_facts_stay",
                "payouts_invoice",
                before="UPDATE",
                when=_FACTS_DIFFER,
                sqlite_when="OLD.facts IS NOT NEW.facts",
                message="What an invoice says is frozen.",
            ),
            refuse_when(
                "payouts_invoice_one_document",
                "payouts_invoice",
                before="UPDATE",
                when="OLD.pdf_sha256 <> '' AND (OLD.pdf_sha256 <> NEW.pdf_sha256 OR OLD.pdf <> NEW.pdf)",
                message="An invoice has one document.",
            ),
            forbid_delete("payouts_invoice"),
        ),
    ]
