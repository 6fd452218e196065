"""Room to count applications that were begun and never sent."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0007_terms_notices"),
        ("tiers", "0004_recruiting"),
    ]

    operations = [
        migrations.CreateModel(
            name="AbandonedDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source_key", models.CharField(blank=True, max_length=40)),
                ("began_on", models.DateField()),
                ("furthest_step", models.PositiveSmallIntegerField()),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="partners.formversion",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="abandoned_drafts",
                        to="tiers.program",
                    ),
                ),
            ],
            options={
                "verbose_name": "applications never sent",
                "verbose_name_plural": "applications never sent",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("program", "form", "source_key", "began_on", "furthest_step"),
                        name="partners_abandoneddraft_one_per_day",
                    )
                ],
            },
        ),
    ]
