"""One run at a time is being prepared for an entity and currency."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payouts", "0007_seal")]

    operations = [
        migrations.AddConstraint(
            model_name="payrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["draft", "checked"])),
                fields=("legal_entity", "currency"),
                name="payouts_payrun_one_being_prepared",
            ),
        ),
    ]
