"""While a month is being closed it takes what the month itself brings, besides releases: retainers, guaranteed amounts and advances are
due when the month is over, and belong on its statement."""

from django.db import migrations

from prm.lib.db import Trigger, triggers

# Who writes such a transaction holds the membership and settles it in the same breath (payouts/month_lines.py).
_ALLOWED = "NEW.kind = 'release' OR (NEW.kind = 'accrual' AND NEW.key LIKE 'month:%')"
_CLOSED_MONTH = Trigger(
    name="payouts_transaction_open_month",
    postgresql=[
        f"""
        CREATE OR REPLACE FUNCTION payouts_transaction_open_month() RETURNS trigger LANGUAGE plpgsql AS $body$
        DECLARE month_state text;
        BEGIN
            SELECT state INTO month_state FROM payouts_period WHERE id = NEW.period_id FOR SHARE;
            IF month_state = 'closed' OR (month_state = 'closing' AND NOT ({_ALLOWED})) THEN
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
        f" (state = 'closed' OR (state = 'closing' AND NOT ({_ALLOWED}))))"
        " BEGIN SELECT RAISE(ABORT, 'Nothing posts into a closed month.'); END"
    ],
    sqlite_drop=["DROP TRIGGER IF EXISTS payouts_transaction_open_month"],
)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0003_statement_guards")]

    operations = [triggers(_CLOSED_MONTH)]
