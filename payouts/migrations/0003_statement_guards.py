"""What was issued stays as it was: statements, their lines, payments, files and approved totals defend themselves."""

from django.db import migrations

from prm.lib.db import forbid_delete, forbid_update_delete, forbid_update_of, refuse_when, triggers

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
    "iban_last4",
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


class Migration(migrations.Migration):
    dependencies = [("payouts", "0002_guards")]

    operations = [
        triggers(
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
        )
    ]
