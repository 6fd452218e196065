"""A signal and a case stay as they were; a call to a partner keeps what it said. SQLite rebuilds the table of questions for new columns,
which loses its guards: they are made again."""

from django.db import migrations

from prm.lib.db import forbid_delete, forbid_update_delete, forbid_update_of, refuse_when, triggers

_SIGNAL = [
    "public_id",
    "membership_id",
    "kind",
    "severity",
    "rule_version",
    "fingerprint",
    "evidence",
    "conversion_id",
    "detected_at",
]
_DISPUTE = [
    "public_id",
    "membership_id",
    "commission_id",
    "conversion_id",
    "cause",
    "opened_at",
    "opened_by_id",
]


class Migration(migrations.Migration):
    dependencies = [("payouts", "0015_risk_and_reports")]

    operations = [
        triggers(
            forbid_delete("payouts_dispute"),
            forbid_update_of("payouts_dispute", _DISPUTE, message="A question stays as it was asked."),
            forbid_delete("payouts_risksignal", message="A signal is set aside, never deleted."),
            forbid_update_of("payouts_risksignal", _SIGNAL, message="A signal stays as it was raised."),
            forbid_delete("payouts_riskcase", message="A case is decided, never deleted."),
            refuse_when(
                "payouts_riskcase_stays_decided",
                "payouts_riskcase",
                before="UPDATE",
                when="OLD.state IN ('cleared', 'confirmed') AND OLD.state <> NEW.state",
                message="A case is decided once.",
            ),
            forbid_update_delete("payouts_risknote", message="What was written stays written."),
            forbid_delete("payouts_riskcaseline"),
            forbid_update_of(
                "payouts_postbackdelivery",
                ["public_id", "postback_id", "event", "key", "body", "created_at"],
                message="A call says what it said.",
            ),
        ),
    ]
