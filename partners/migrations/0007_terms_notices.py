"""Who was told of terms to accept, so that nobody meets a consequence unannounced."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0006_screening_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="TermsNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("told_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "overdue_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="From when on the consequence holds; empty: it never did.",
                        null=True,
                    ),
                ),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, help_text="When the terms were accepted.", null=True),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terms_notices",
                        to="partners.membership",
                    ),
                ),
                (
                    "terms_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="partners.termsversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "notice of terms",
                "verbose_name_plural": "notices of terms",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("terms_version", "membership"), name="partners_termsnotice_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("overdue_at", None), ("overdue_at__gt", models.F("told_at")), _connector="OR"
                        ),
                        name="partners_termsnotice_told_before",
                    ),
                ],
            },
        ),
    ]
