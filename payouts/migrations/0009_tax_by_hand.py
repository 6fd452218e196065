"""Tell VAT that staff chose from VAT that follows from countries and status."""

from django.db import migrations, models

from prm.lib.db import forbid_delete, forbid_update_of, triggers

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
    "is_set_by_hand",
    "starts_at",
    "set_at",
    "set_by_id",
]


class Migration(migrations.Migration):
    dependencies = [("payouts", "0008_one_run_being_prepared")]

    operations = [
        migrations.AddField(
            model_name="taxprofile",
            name="is_set_by_hand",
            field=models.BooleanField(
                default=False,
                help_text="Staff chose mode and rate; otherwise they follow from countries and status.",
                verbose_name="VAT set by hand",
            ),
        ),
        # SQLite rebuilds the table for a column with a default and loses its triggers.
        triggers(
            forbid_update_of(
                "payouts_taxprofile", _TAX_FACTS, message="A tax profile is ended, never rewritten."
            ),
            forbid_delete("payouts_taxprofile"),
        ),
    ]
