"""The books defend themselves: append-only ledger, one currency per entry, closed months stay closed, amounts stay."""

from django.db import migrations

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
    "payable_at",
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
# those holds the membership and settles it in the same breath (payouts/month_lines.py).
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
                AND NOT (NEW.kind = 'accrual' AND NEW.key LIKE 'month:%')) THEN
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
        " AND NOT (NEW.kind = 'accrual' AND NEW.key LIKE 'month:%'))))"
        " BEGIN SELECT RAISE(ABORT, 'Nothing posts into a closed month.'); END"
    ],
    sqlite_drop=["DROP TRIGGER IF EXISTS payouts_transaction_open_month"],
)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0001_initial")]

    operations = [
        triggers(
            forbid_update_delete("payouts_entry"),
            forbid_update_delete("payouts_transaction"),
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
        )
    ]
