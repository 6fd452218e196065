"""Indexes by which partners and applications with the same details are found. The keys themselves are in partners/keys.py."""

from django.db import migrations, models

from partners import keys


class Migration(migrations.Migration):
    dependencies = [("partners", "0005_invitation_sent_at")]

    operations = [
        *(
            migrations.AddIndex(
                model_name="application",
                index=models.Index(keys.of_application(name), name=f"partners_applica_{name}"),
            )
            for name in keys.KEYS
        ),
        *(
            migrations.AddIndex(
                model_name="partner",
                index=models.Index(keys.of_partner(name), name=f"partners_partner_{name}"),
            )
            for name in keys.KEYS
        ),
    ]
