"""Room for tracking that can be argued with: kinds of clicks, touches, who brought whom, decisions with their candidates, lines of orders."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import prm.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "__first__"),
        ("partners", "0012_remarks_about_plans"),
        ("referrals", "0004_guards_of_points"),
        ("tiers", "0007_thresholds_become_schemes"),
    ]

    operations = [
        migrations.CreateModel(
            name="AddressKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("used_on", models.DateField(unique=True)),
                ("secret", prm.lib.fields.EncryptedTextField()),
            ],
            options={
                "verbose_name": "key of a day",
                "verbose_name_plural": "keys of days",
            },
        ),
        migrations.CreateModel(
            name="AttributionVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="atv")),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attribution_versions",
                        to="tiers.program",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "In force"), ("superseded", "Superseded")],
                        default="draft",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("definition", models.JSONField(default=dict, verbose_name="how credit is given")),
                ("effective_at", models.DateTimeField(blank=True, null=True, verbose_name="in force from")),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "attribution rules",
                "verbose_name_plural": "attribution rules",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("program", "number"), name="referrals_attributionversion_one_per_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "published", "superseded"])),
                        name="referrals_attributionversion_state",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "draft")),
                        fields=("program",),
                        name="referrals_attributionversion_one_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("published_at", None), ("state", "draft")),
                            models.Q(
                                models.Q(("state", "draft"), _negated=True),
                                ("effective_at__isnull", False),
                                ("published_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="referrals_attributionversion_published_has_dates",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AttributionRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "conversion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attributions",
                        to="referrals.conversion",
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
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="referrals.attributionversion",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("recorded", "When it was recorded"),
                            ("corrected", "Corrected by a person"),
                        ],
                        max_length=10,
                        verbose_name="when",
                    ),
                ),
                ("candidates", models.JSONField(default=list, verbose_name="candidates")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("decided_at", models.DateTimeField(verbose_name="decided")),
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
            ],
            options={
                "verbose_name": "decision about credit",
                "verbose_name_plural": "decisions about credit",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cause__in", ["recorded", "corrected"])),
                        name="referrals_attributionrecord_cause",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversionLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "conversion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="referrals.conversion",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("product", models.CharField(blank=True, max_length=60, verbose_name="product")),
                ("category", models.CharField(blank=True, max_length=60, verbose_name="category")),
                ("quantity", models.PositiveIntegerField(default=1, verbose_name="quantity")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount, in minor units")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
            ],
            options={
                "verbose_name": "line of a conversion",
                "verbose_name_plural": "lines of conversions",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversion", "position"), name="referrals_conversionline_one_per_position"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gte", 0)),
                        name="referrals_conversionline_amount_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportMapping",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="map")),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                ("header_sha256", models.CharField(max_length=64)),
                ("mapping", models.JSONField(default=dict, verbose_name="columns")),
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
                "verbose_name": "mapping of a file",
                "verbose_name_plural": "mappings of files",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "header_sha256"), name="referrals_importmapping_once_per_header"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Inlet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="inl")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("postback", "Signed postback, from server to server"),
                            ("pixel", "Pixel in the browser, without a secret"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                ("kinds", models.JSONField(default=list, verbose_name="events it may tell")),
                ("secret", prm.lib.fields.EncryptedTextField(blank=True)),
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
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "inlet",
                "verbose_name_plural": "inlets",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["postback", "pixel"])), name="referrals_inlet_kind"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="ref")),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="tiers.program",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="partners.membership",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="referrals.customer",
                    ),
                ),
                (
                    "conversion",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="referrals.conversion",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("attributed", "Brought the first conversion"),
                            ("transferred", "Transferred by a person"),
                        ],
                        max_length=12,
                        verbose_name="how",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("since_at", models.DateTimeField(verbose_name="since")),
                ("earns_until_at", models.DateTimeField(blank=True, null=True, verbose_name="earns until")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cause__in", ["attributed", "transferred"])),
                        name="referrals_referral_cause",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("program", "customer"),
                        name="referrals_referral_one_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("earns_until_at__isnull", True),
                            ("earns_until_at__gt", models.F("since_at")),
                            _connector="OR",
                        ),
                        name="referrals_referral_earns_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None), ("ended_at__gte", models.F("since_at")), _connector="OR"
                        ),
                        name="referrals_referral_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause", "transferred"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="referrals_referral_transfer_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RollupMark",
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tiers.program",
                    ),
                ),
                ("happened_on", models.DateField(verbose_name="day")),
            ],
            options={
                "verbose_name": "mark of a day",
                "verbose_name_plural": "marks of days",
            },
        ),
        migrations.CreateModel(
            name="Touch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="tch")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="touches",
                        to="partners.membership",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("deal", "Registered deal"), ("lead", "Lead"), ("intro", "Introduction")],
                        max_length=5,
                        verbose_name="kind",
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=60, verbose_name="reference")),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="touches",
                        to="referrals.customer",
                    ),
                ),
                ("email_key", models.CharField(blank=True, max_length=64)),
                ("touched_at", models.DateTimeField(verbose_name="happened")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="protected until")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn")),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "withdrawn_because",
                    models.CharField(blank=True, max_length=200, verbose_name="why it was withdrawn"),
                ),
            ],
            options={
                "verbose_name": "touch",
                "verbose_name_plural": "touches",
                "indexes": [
                    models.Index(fields=["kind", "reference"], name="referrals_touch_reference"),
                    models.Index(
                        condition=models.Q(("email_key", ""), _negated=True),
                        fields=["email_key"],
                        name="referrals_touch_email",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["deal", "lead", "intro"])),
                        name="referrals_touch_kind",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            models.Q(("reference", ""), _negated=True), ("withdrawn_at", None)
                        ),
                        fields=("membership", "kind", "reference"),
                        name="referrals_touch_once_per_reference",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reference", ""), _negated=True),
                            ("customer__isnull", False),
                            models.Q(("email_key", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="referrals_touch_can_be_found",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                            models.Q(("withdrawn_at__isnull", False), ("withdrawn_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="referrals_touch_withdrawn_pair",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrackingSettings",
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
                        related_name="tracking",
                        to="tiers.program",
                    ),
                ),
                (
                    "link_host",
                    models.CharField(
                        blank=True,
                        help_text="One of the domains this installation serves links at. Empty: its own address.",
                        max_length=100,
                        verbose_name="own domain of links",
                    ),
                ),
                (
                    "sets_cookie",
                    models.BooleanField(
                        default=True,
                        help_text="Off: credit rests on the click id in the address, on codes, leads and deals.",
                        verbose_name="remembers visitors in a cookie",
                    ),
                ),
                ("counts_views", models.BooleanField(default=False, verbose_name="counts views of banners")),
                (
                    "forbids_paid_search",
                    models.BooleanField(default=False, verbose_name="forbids paid search"),
                ),
                (
                    "shows_customers",
                    models.BooleanField(default=False, verbose_name="partners see who their customers are"),
                ),
            ],
            options={
                "verbose_name": "tracking settings",
                "verbose_name_plural": "tracking settings",
            },
        ),
        migrations.RemoveConstraint(
            model_name="credit",
            name="referrals_credit_reason",
        ),
        migrations.AddField(
            model_name="click",
            name="ad_parameter",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name="click",
            name="address_hash",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="click",
            name="agent_hash",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name="click",
            name="campaign",
            field=models.CharField(blank=True, max_length=64, verbose_name="campaign"),
        ),
        migrations.AddField(
            model_name="click",
            name="country",
            field=models.CharField(blank=True, max_length=2, verbose_name="country"),
        ),
        migrations.AddField(
            model_name="click",
            name="kind",
            field=models.CharField(
                choices=[
                    ("person", "A person"),
                    ("view", "Seen, not clicked"),
                    ("bot", "A robot"),
                    ("prefetch", "Fetched ahead"),
                    ("preview", "Preview of a link"),
                    ("embedded", "Fetched as an image or a frame"),
                    ("own", "The partner's own test"),
                ],
                default="person",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="click",
            name="sub2",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="click",
            name="sub3",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="click",
            name="sub4",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="click",
            name="sub5",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="code",
            name="discount_minor",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="discount, in minor units"),
        ),
        migrations.AddField(
            model_name="code",
            name="discount_percent",
            field=models.DecimalField(
                blank=True, decimal_places=2, max_digits=5, null=True, verbose_name="discount, percent"
            ),
        ),
        migrations.AddField(
            model_name="code",
            name="ends_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="valid until"),
        ),
        migrations.AddField(
            model_name="code",
            name="retired_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="retired"),
        ),
        migrations.AddField(
            model_name="code",
            name="retired_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="code",
            name="starts_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="valid from"),
        ),
        migrations.AddField(
            model_name="code",
            name="use_limit",
            field=models.PositiveIntegerField(
                blank=True, help_text="Empty: without limit.", null=True, verbose_name="uses at most"
            ),
        ),
        migrations.AddField(
            model_name="code",
            name="uses",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="uses counted"),
        ),
        migrations.AddField(
            model_name="conversion",
            name="address_hash",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="conversion",
            name="campaign",
            field=models.CharField(blank=True, max_length=64, verbose_name="campaign"),
        ),
        migrations.AddField(
            model_name="conversion",
            name="channel",
            field=models.CharField(
                choices=[
                    ("api", "API"),
                    ("file", "File"),
                    ("postback", "Postback"),
                    ("pixel", "Pixel in the browser"),
                    ("staff", "Entered by a person"),
                ],
                default="api",
                max_length=8,
                verbose_name="told by",
            ),
        ),
        migrations.AddField(
            model_name="conversion",
            name="lead_key",
            field=models.CharField(blank=True, max_length=60, verbose_name="lead"),
        ),
        migrations.AddField(
            model_name="conversion",
            name="payment_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="customer",
            name="mailbox_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="customer",
            name="domain_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="customer",
            name="email_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="customer",
            name="has_disposable_mail",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="customer",
            name="vat_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="link",
            name="campaign",
            field=models.CharField(
                blank=True, help_text="Reports group by it.", max_length=64, verbose_name="campaign"
            ),
        ),
        migrations.AddField(
            model_name="link",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="expires"),
        ),
        migrations.AddField(
            model_name="link",
            name="replacement",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaces",
                to="referrals.link",
                verbose_name="replaced by",
            ),
        ),
        migrations.AddField(
            model_name="link",
            name="utm",
            field=models.JSONField(blank=True, default=dict, verbose_name="UTM parameters"),
        ),
        migrations.AlterField(
            model_name="click",
            name="visitor",
            field=models.CharField(blank=True, db_index=True, max_length=26),
        ),
        migrations.AlterField(
            model_name="credit",
            name="reason",
            field=models.CharField(
                choices=[
                    ("code", "The partner's code was used"),
                    ("last_click", "Last click in the cookie window"),
                    ("first_click", "First click in the cookie window"),
                    ("clicks", "Clicks that led to it"),
                    ("deal", "A registered deal"),
                    ("lead", "The partner brought the lead"),
                    ("introduced", "The partner made the introduction"),
                    ("customer", "The partner brought the customer"),
                    ("view", "Seen before it was bought"),
                    ("assisted", "Helped on the way"),
                    ("original", "Follows the sale it refunds"),
                    ("corrected", "Decided by a person"),
                ],
                max_length=12,
                verbose_name="reason",
            ),
        ),
        migrations.AddIndex(
            model_name="click",
            index=models.Index(fields=["link", "clicked_at"], name="referrals_click_link_when"),
        ),
        migrations.AddIndex(
            model_name="click",
            index=models.Index(
                condition=models.Q(("address_hash", ""), _negated=True),
                fields=["address_hash", "clicked_at"],
                name="referrals_click_address",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("email_key", ""), _negated=True),
                fields=["email_key"],
                name="referrals_customer_email",
            ),
        ),
        migrations.AddConstraint(
            model_name="click",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["person", "view", "bot", "prefetch", "preview", "embedded", "own"])
                ),
                name="referrals_click_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("discount_percent", None),
                    models.Q(("discount_percent__gt", 0), ("discount_percent__lte", 100)),
                    _connector="OR",
                ),
                name="referrals_code_percent_0_to_100",
            ),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.CheckConstraint(
                condition=models.Q(("discount_minor", None), ("discount_minor__gt", 0), _connector="OR"),
                name="referrals_code_discount_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.CheckConstraint(
                condition=models.Q(("discount_percent", None), ("discount_minor", None), _connector="OR"),
                name="referrals_code_one_discount",
            ),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("use_limit", None), ("uses__lte", models.F("use_limit")), _connector="OR"
                ),
                name="referrals_code_within_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.CheckConstraint(
                condition=models.Q(("retired_at", None), ("is_active", False), _connector="OR"),
                name="referrals_code_retired_is_off",
            ),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                ),
                name="referrals_code_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="conversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["api", "file", "postback", "pixel", "staff"])),
                name="referrals_conversion_channel",
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("replacement", None),
                    models.Q(("replacement", models.F("pk")), _negated=True),
                    _connector="OR",
                ),
                name="referrals_link_not_its_own_replacement",
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="referral",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credits",
                to="referrals.referral",
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="touch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credits",
                to="referrals.touch",
            ),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        [
                            "code",
                            "last_click",
                            "first_click",
                            "clicks",
                            "deal",
                            "lead",
                            "introduced",
                            "customer",
                            "view",
                            "assisted",
                            "original",
                            "corrected",
                        ],
                    )
                ),
                name="referrals_credit_reason",
            ),
        ),
    ]
