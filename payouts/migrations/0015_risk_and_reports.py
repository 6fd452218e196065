"""Room for signals and cases, daily figures, postbacks to partners, and questions about credit."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import prm.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "__first__"),
        ("partners", "0012_remarks_about_plans"),
        ("payouts", "0014_dry_runs_of_moves"),
        ("referrals", "0005_tracking"),
        ("tiers", "0007_thresholds_become_schemes"),
    ]

    operations = [
        migrations.CreateModel(
            name="DailyTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tiers.program",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="daily_totals",
                        to="partners.membership",
                    ),
                ),
                ("happened_on", models.DateField(verbose_name="day")),
                (
                    "dimension",
                    models.CharField(
                        choices=[
                            ("all", "Everything"),
                            ("link", "Link"),
                            ("code", "Code"),
                            ("sub_id", "Sub-id"),
                            ("campaign", "Campaign"),
                            ("country", "Country"),
                            ("product", "Product"),
                        ],
                        max_length=8,
                        verbose_name="by",
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=80, verbose_name="value")),
                ("clicks", models.PositiveIntegerField(default=0, verbose_name="clicks")),
                ("visitors", models.PositiveIntegerField(default=0, verbose_name="unique visitors")),
                ("uncounted", models.PositiveIntegerField(default=0, verbose_name="hits that do not count")),
                ("leads", models.PositiveIntegerField(default=0, verbose_name="leads")),
                ("conversions", models.PositiveIntegerField(default=0, verbose_name="conversions")),
                ("refunds", models.PositiveIntegerField(default=0, verbose_name="refunds")),
                ("revenue_minor", models.BigIntegerField(default=0, verbose_name="revenue, in minor units")),
                ("earned_minor", models.BigIntegerField(default=0, verbose_name="earned, in minor units")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
            ],
            options={
                "verbose_name": "daily total",
                "verbose_name_plural": "daily totals",
                "indexes": [
                    models.Index(
                        fields=["program", "dimension", "happened_on"], name="payouts_dailytotal_program"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "dimension__in",
                                ["all", "link", "code", "sub_id", "campaign", "country", "product"],
                            )
                        ),
                        name="payouts_dailytotal_dimension",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("membership__isnull", False)),
                        fields=("membership", "dimension", "key", "happened_on"),
                        name="payouts_dailytotal_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("membership", None)),
                        fields=("happened_on", "dimension", "key", "currency"),
                        name="payouts_dailytotal_organic_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Postback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="pbk")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postbacks",
                        to="partners.membership",
                    ),
                ),
                ("url", models.URLField(max_length=500, verbose_name="address")),
                ("events", models.JSONField(default=list, verbose_name="events")),
                ("secret", prm.lib.fields.EncryptedTextField()),
                ("previous_secret", prm.lib.fields.EncryptedTextField(blank=True)),
                ("previous_ends_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(verbose_name="created")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures in a row")),
                (
                    "failing_since_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="failing since"),
                ),
                ("disabled_at", models.DateTimeField(blank=True, null=True, verbose_name="switched off")),
                (
                    "disabled_because",
                    models.CharField(blank=True, max_length=200, verbose_name="why it was switched off"),
                ),
                ("removed_at", models.DateTimeField(blank=True, null=True, verbose_name="removed")),
            ],
            options={
                "verbose_name": "postback",
                "verbose_name_plural": "postbacks",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("disabled_at", None),
                            models.Q(("disabled_because", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="payouts_postback_disabled_has_a_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PostbackDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="pbd")),
                (
                    "postback",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="payouts.postback",
                    ),
                ),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("lead", "A lead or sign-up is credited to you"),
                            ("sale", "A sale or renewal is credited to you"),
                            ("commission", "A commission line is written"),
                        ],
                        max_length=12,
                        verbose_name="event",
                    ),
                ),
                ("key", models.CharField(max_length=80)),
                ("body", models.TextField(verbose_name="body")),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Waiting"), ("sent", "Delivered"), ("given_up", "Given up")],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("next_at", models.DateTimeField(blank=True, null=True, verbose_name="next attempt")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="delivered")),
                (
                    "last_status",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="last answer"),
                ),
                ("last_error", models.CharField(blank=True, max_length=300, verbose_name="last error")),
            ],
            options={
                "verbose_name": "postback delivery",
                "verbose_name_plural": "postback deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["next_at"],
                        name="payouts_postbackdelivery_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("event__in", ["lead", "sale", "commission"])),
                        name="payouts_postbackdelivery_event",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "sent", "given_up"])),
                        name="payouts_postbackdelivery_state",
                    ),
                    models.UniqueConstraint(fields=("postback", "key"), name="payouts_postbackdelivery_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="rsc")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_cases",
                        to="partners.membership",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("investigating", "Being looked at"),
                            ("cleared", "Cleared"),
                            ("confirmed", "Confirmed"),
                        ],
                        max_length=14,
                        verbose_name="state",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        help_text="The partner reads this.", max_length=200, verbose_name="reason"
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                (
                    "opened_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("review_on", models.DateField(verbose_name="decided by")),
                (
                    "investigator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=500, verbose_name="what came of it")),
                (
                    "sanction",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("none", "None"),
                            ("warning", "A warning"),
                            ("suspension", "Suspended"),
                            ("ban", "Banned"),
                        ],
                        max_length=12,
                        verbose_name="sanction",
                    ),
                ),
            ],
            options={
                "verbose_name": "risk case",
                "verbose_name_plural": "risk cases",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "investigating", "cleared", "confirmed"])),
                        name="payouts_riskcase_state",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["open", "investigating"])),
                        fields=("membership",),
                        name="payouts_riskcase_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("state__in", ["open", "investigating"])),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("state__in", ["cleared", "confirmed"]),
                                models.Q(("outcome", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="payouts_riskcase_open_or_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by__isnull", True)),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_riskcase_decided_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="payouts_riskcase_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sanction", ""), ("state", "confirmed"), _connector="OR"),
                        name="payouts_riskcase_sanction_is_confirmed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskCaseLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="payouts.riskcase",
                    ),
                ),
                (
                    "commission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_lines",
                        to="payouts.commission",
                    ),
                ),
                (
                    "pause",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.pause",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a risk case",
                "verbose_name_plural": "lines of risk cases",
                "constraints": [
                    models.UniqueConstraint(fields=("case", "commission"), name="payouts_riskcaseline_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="payouts.riskcase",
                    ),
                ),
                ("text", models.TextField(max_length=4000, verbose_name="text")),
                ("evidence", models.FileField(blank=True, upload_to="evidence/", verbose_name="evidence")),
                ("evidence_name", models.CharField(blank=True, max_length=120)),
                ("written_at", models.DateTimeField(verbose_name="written")),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "note of a risk case",
                "verbose_name_plural": "notes of risk cases",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="payouts_risknote_says_something",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "program",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_settings",
                        to="tiers.program",
                    ),
                ),
                ("thresholds", models.JSONField(blank=True, default=dict, verbose_name="thresholds")),
                ("changed_at", models.DateTimeField(verbose_name="changed")),
                (
                    "changed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "risk settings",
                "verbose_name_plural": "risk settings",
            },
        ),
        migrations.CreateModel(
            name="RiskSignal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="rsg")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_signals",
                        to="partners.membership",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("self_referral", "The partner bought itself"),
                            ("click_flood", "Many clicks from one address"),
                            ("velocity", "More conversions than clicks allow"),
                            ("too_soon", "Bought too soon after the click"),
                            ("bot_share", "Many robots among the visitors"),
                            ("shared_account", "Two partners share a bank account"),
                            ("shared_device", "Two partners share a device"),
                            ("leaked_code", "A code has got about"),
                            ("paid_search", "Paid search where it is forbidden"),
                            ("disposable_mail", "Throw-away e-mail addresses"),
                            ("country_mismatch", "Clicked in one country, bought in another"),
                            ("refund_rate", "Many refunds"),
                            ("pixel", "Told by a pixel, which anybody can call"),
                            ("code_overused", "A code was used more often than allowed"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High")],
                        max_length=6,
                        verbose_name="severity",
                    ),
                ),
                ("rule_version", models.PositiveSmallIntegerField(verbose_name="version of the rule")),
                ("fingerprint", models.CharField(max_length=64)),
                ("evidence", models.JSONField(default=dict, verbose_name="evidence")),
                (
                    "conversion",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="risk_signals",
                        to="referrals.conversion",
                    ),
                ),
                ("detected_at", models.DateTimeField(verbose_name="detected")),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signals",
                        to="payouts.riskcase",
                    ),
                ),
                ("dismissed_at", models.DateTimeField(blank=True, null=True, verbose_name="set aside")),
                (
                    "dismissed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dismissed_because",
                    models.CharField(blank=True, max_length=200, verbose_name="why it was set aside"),
                ),
            ],
            options={
                "verbose_name": "risk signal",
                "verbose_name_plural": "risk signals",
                "indexes": [
                    models.Index(fields=["membership", "detected_at"], name="payouts_risksignal_membership")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "self_referral",
                                    "click_flood",
                                    "velocity",
                                    "too_soon",
                                    "bot_share",
                                    "shared_account",
                                    "shared_device",
                                    "leaked_code",
                                    "paid_search",
                                    "disposable_mail",
                                    "country_mismatch",
                                    "refund_rate",
                                    "pixel",
                                    "code_overused",
                                ],
                            )
                        ),
                        name="payouts_risksignal_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["low", "medium", "high"])),
                        name="payouts_risksignal_severity",
                    ),
                    models.UniqueConstraint(fields=("kind", "fingerprint"), name="payouts_risksignal_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("dismissed_at__isnull", True), ("dismissed_by__isnull", True)),
                            models.Q(("dismissed_at__isnull", False), ("dismissed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="payouts_risksignal_dismissed_pair",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="dispute",
            name="conversion",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="referrals.conversion",
            ),
        ),
        migrations.AddField(
            model_name="dispute",
            name="inquiry",
            field=models.JSONField(blank=True, default=dict, verbose_name="what was asked"),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="commission",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="disputes",
                to="payouts.commission",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("conversion__isnull", False), ("state__in", ["opened", "answered", "waiting_partner"])
                ),
                fields=("membership", "conversion"),
                name="payouts_dispute_one_open_per_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("commission__isnull", False), ("conversion", None)),
                    models.Q(("commission", None), models.Q(("inquiry", {}), _negated=True)),
                    _connector="OR",
                ),
                name="payouts_dispute_is_about_something",
            ),
        ),
    ]
