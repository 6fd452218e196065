"""What concerns a whole run is raised once, on SQLite too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payouts", "0010_fee_currency")]

    operations = [
        migrations.AddConstraint(
            model_name="payruncheck",
            constraint=models.UniqueConstraint(
                condition=models.Q(("membership", None)),
                fields=("pay_run", "kind"),
                name="payouts_payruncheck_once_for_all",
            ),
        ),
    ]
