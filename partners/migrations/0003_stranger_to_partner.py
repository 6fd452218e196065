"""Room for forms, reviews, prospects, invitations, amendments, onboarding, suspensions and endings."""

import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import prm.lib.fields
import prm.lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0002_guards"),
        ("tiers", "0004_recruiting"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Amendment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="amd")),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("title", models.CharField(max_length=140, verbose_name="title")),
                ("text", models.TextField(max_length=20000, verbose_name="text")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("proposed", "Waiting for the partner"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="draft",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("effective_on", models.DateField(blank=True, null=True, verbose_name="in force from")),
                ("drafted_at", models.DateTimeField()),
                ("proposed_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answer_note",
                    models.TextField(blank=True, max_length=2000, verbose_name="what the partner wrote"),
                ),
                (
                    "address",
                    models.GenericIPAddressField(blank=True, null=True, verbose_name="network address"),
                ),
                ("sha256", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "drafted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="amendments",
                        to="partners.membership",
                    ),
                ),
                (
                    "proposed_by",
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
                "verbose_name": "amendment",
                "verbose_name_plural": "amendments",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "number"), name="partners_amendment_one_per_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "proposed", "accepted", "declined", "withdrawn"])
                        ),
                        name="partners_amendment_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proposed_at__isnull", True), ("proposed_by__isnull", True)),
                            models.Q(("proposed_at__isnull", False), ("proposed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_amendment_proposed_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("answered_by__isnull", True)),
                            models.Q(("answered_at__isnull", False), ("answered_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_amendment_answered_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["accepted", "declined"]), _negated=True),
                            ("answered_at__isnull", False),
                            _connector="OR",
                        ),
                        name="partners_amendment_answered_has_date",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApplicationFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="apf")),
                ("field_key", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("kind", models.CharField(max_length=8, verbose_name="kind")),
                ("size", models.PositiveIntegerField(verbose_name="bytes")),
                ("sha256", models.CharField(max_length=64)),
                ("file", models.FileField(max_length=200, upload_to="")),
                ("added_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="partners.application",
                    ),
                ),
            ],
            options={
                "verbose_name": "file of an application",
                "verbose_name_plural": "files of applications",
            },
        ),
        migrations.CreateModel(
            name="Blocked",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("domain", "Domain"), ("email", "E-mail address"), ("country", "Country")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("value", models.CharField(max_length=254, verbose_name="what is blocked")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                (
                    "program",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blocked",
                        to="tiers.program",
                        verbose_name="program",
                    ),
                ),
            ],
            options={
                "verbose_name": "blocked entry",
                "verbose_name_plural": "blocked entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["domain", "email", "country"])),
                        name="partners_blocked_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                            models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_blocked_ended_pair",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None), ("program__isnull", False)),
                        fields=("kind", "value", "program"),
                        name="partners_blocked_once_per_program",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None), ("program", None)),
                        fields=("kind", "value"),
                        name="partners_blocked_once_everywhere",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClauseQuestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="cqu")),
                (
                    "section",
                    models.CharField(
                        choices=[
                            ("summary", "In plain words"),
                            ("pricing", "Pricing and commission"),
                            ("what_counts", "What counts as a referral"),
                            ("how_measured", "How it is measured and tracked"),
                            ("support", "Support offered"),
                        ],
                        max_length=16,
                        verbose_name="section",
                    ),
                ),
                ("text", models.TextField(max_length=2000, verbose_name="question")),
                ("asked_at", models.DateTimeField()),
                ("answer", models.TextField(blank=True, max_length=4000, verbose_name="answer")),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="clause_questions",
                        to="partners.application",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the applicant.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clause_questions",
                        to="partners.membership",
                    ),
                ),
                (
                    "terms_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="questions",
                        to="partners.termsversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "question about the terms",
                "verbose_name_plural": "questions about the terms",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("section__in", ["summary", "pricing", "what_counts", "how_measured", "support"])
                        ),
                        name="partners_clausequestion_section",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("answered_by__isnull", True)),
                            models.Q(("answered_at__isnull", False), ("answered_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_clausequestion_answered_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("application__isnull", False), ("membership", None)),
                            models.Q(("application", None), ("membership__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_clausequestion_of_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EligibilityRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="elg")),
                ("position", models.PositiveSmallIntegerField(default=1, verbose_name="order")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("approve", "Approve"),
                            ("reject", "Decline"),
                            ("flag", "Leave to a person, with a warning"),
                        ],
                        max_length=12,
                        verbose_name="decision",
                    ),
                ),
                ("conditions", models.JSONField(default=list, verbose_name="conditions")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("more_detail", "The application needs more detail"),
                            ("requirements_not_met", "The program's requirements are not met"),
                            ("fit", "Audience and program do not fit"),
                            ("capacity", "The program cannot take more partners now"),
                            ("other", "Another reason"),
                        ],
                        max_length=24,
                        verbose_name="reason",
                    ),
                ),
                (
                    "reapply_days",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="may apply again after, days"
                    ),
                ),
                (
                    "note",
                    models.TextField(blank=True, max_length=4000, verbose_name="message to the applicant"),
                ),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(blank=True, null=True, verbose_name="in use since")),
                ("retired_at", models.DateTimeField(blank=True, null=True, verbose_name="retired")),
                (
                    "activated_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="eligibility_rules",
                        to="tiers.program",
                    ),
                ),
                (
                    "tier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tiers.tier",
                        verbose_name="tier",
                    ),
                ),
            ],
            options={
                "verbose_name": "eligibility rule",
                "verbose_name_plural": "eligibility rules",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("decision__in", ["approve", "reject", "flag"])),
                        name="partners_eligibilityrule_decision",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("activated_at__isnull", True), ("activated_by__isnull", True)),
                            models.Q(("activated_at__isnull", False), ("activated_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_eligibilityrule_activated_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision", "approve"), _negated=True),
                            ("tier__isnull", False),
                            _connector="OR",
                        ),
                        name="partners_eligibilityrule_approves_into_a_tier",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision", "reject"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="partners_eligibilityrule_declines_with_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Ending",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="end")),
                (
                    "kind",
                    models.CharField(
                        choices=[("ended", "Left"), ("terminated", "Terminated"), ("banned", "Banned")],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("terms_violation", "The terms were broken"),
                            ("inappropriate_content", "Inappropriate content"),
                            ("fake_traffic", "Traffic that is not real"),
                            ("fraud", "Fraud"),
                            ("spam", "Unwanted messages in our name"),
                            ("brand_abuse", "Misuse of our brand"),
                            ("terms_not_accepted", "New terms were not accepted in time"),
                            ("inactive", "No activity for a long time"),
                            ("program_closed", "The program is closed"),
                            ("own_wish", "The partner wishes to leave"),
                            ("merged", "Joined with another partner that is the same"),
                            ("other", "Another reason"),
                        ],
                        max_length=24,
                        verbose_name="reason",
                    ),
                ),
                (
                    "note",
                    models.TextField(blank=True, max_length=2000, verbose_name="message to the partner"),
                ),
                ("given_at", models.DateTimeField()),
                ("effective_at", models.DateTimeField()),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "cancelled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "given_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="endings",
                        to="partners.membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "ending of a membership",
                "verbose_name_plural": "endings of memberships",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["ended", "terminated", "banned"])),
                        name="partners_ending_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "terms_violation",
                                    "inappropriate_content",
                                    "fake_traffic",
                                    "fraud",
                                    "spam",
                                    "brand_abuse",
                                    "terms_not_accepted",
                                    "inactive",
                                    "program_closed",
                                    "own_wish",
                                    "merged",
                                    "other",
                                ],
                            )
                        ),
                        name="partners_ending_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cancelled_at__isnull", True), ("cancelled_by__isnull", True)),
                            models.Q(("cancelled_at__isnull", False), ("cancelled_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_ending_cancelled_pair",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("cancelled_at", None), ("done_at", None)),
                        fields=("membership",),
                        name="partners_ending_one_waiting",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("effective_at__gte", models.F("given_at"))),
                        name="partners_ending_not_in_the_past",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="frm")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("superseded", "Superseded"),
                        ],
                        default="draft",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("definition", models.JSONField(verbose_name="questions")),
                (
                    "is_standard",
                    models.BooleanField(
                        default=False,
                        help_text="The form a program has until somebody publishes one of its own.",
                        verbose_name="made by the product",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("published_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("sha256", models.CharField(blank=True, editable=False, max_length=64)),
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
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="form_versions",
                        to="tiers.program",
                    ),
                ),
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
                "verbose_name": "application form",
                "verbose_name_plural": "application forms",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("program", "number"), name="partners_formversion_one_per_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "published", "superseded"])),
                        name="partners_formversion_state",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "published")),
                        fields=("program",),
                        name="partners_formversion_one_in_use",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "draft")),
                        fields=("program",),
                        name="partners_formversion_one_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("published_at", None), ("state", "draft")),
                            models.Q(
                                models.Q(("state", "draft"), _negated=True), ("published_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="partners_formversion_published_has_date",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("published_at", None),
                            ("is_standard", True),
                            ("published_by__isnull", False),
                            _connector="OR",
                        ),
                        name="partners_formversion_published_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Introduction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="itr")),
                ("reason", models.TextField(max_length=2000, verbose_name="why they should meet")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waiting for both to agree"),
                            ("introduced", "Introduced"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                ("first_agreed_at", models.DateTimeField(blank=True, null=True)),
                ("second_agreed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="introductions_as_first",
                        to="partners.partner",
                    ),
                ),
                (
                    "first_agreed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="introductions_as_second",
                        to="partners.partner",
                    ),
                ),
                (
                    "second_agreed_by",
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
                "verbose_name": "introduction",
                "verbose_name_plural": "introductions",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["proposed", "introduced", "declined", "withdrawn"])
                        ),
                        name="partners_introduction_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first", models.F("second")), _negated=True),
                        name="partners_introduction_of_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("first_agreed_at__isnull", True), ("first_agreed_by__isnull", True)),
                            models.Q(("first_agreed_at__isnull", False), ("first_agreed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_introduction_first_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("second_agreed_at__isnull", True), ("second_agreed_by__isnull", True)),
                            models.Q(
                                ("second_agreed_at__isnull", False), ("second_agreed_by__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="partners_introduction_second_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "introduced"), _negated=True),
                            models.Q(("first_agreed_at__isnull", False), ("second_agreed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_introduction_both_agreed",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("first", "second"),
                        name="partners_introduction_one_proposed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OnboardingStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="obs")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("terms", "Accept the terms"),
                            ("profile", "Complete the profile"),
                            ("bank", "Say where to pay"),
                            ("tax", "Give tax details"),
                            ("first_link", "Use the first link or code"),
                            ("team", "Invite a colleague"),
                            ("training", "Training"),
                            ("custom", "Something else"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=1, verbose_name="order")),
                (
                    "title",
                    models.JSONField(
                        blank=True, default=dict, help_text="By language.", verbose_name="title"
                    ),
                ),
                (
                    "help_text",
                    models.JSONField(
                        blank=True, default=dict, help_text="By language.", verbose_name="explanation"
                    ),
                ),
                ("url", models.URLField(blank=True, max_length=300, verbose_name="address")),
                ("is_required", models.BooleanField(default=True, verbose_name="needed")),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="onboarding_steps",
                        to="tiers.program",
                    ),
                ),
            ],
            options={
                "verbose_name": "onboarding step",
                "verbose_name_plural": "onboarding steps",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "terms",
                                    "profile",
                                    "bank",
                                    "tax",
                                    "first_link",
                                    "team",
                                    "training",
                                    "custom",
                                ],
                            )
                        ),
                        name="partners_onboardingstep_kind",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("removed_at", None),
                            models.Q(("kind__in", ["training", "custom"]), _negated=True),
                        ),
                        fields=("program", "kind"),
                        name="partners_onboardingstep_once_per_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OnboardingMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("done_at", models.DateTimeField()),
                (
                    "done_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="onboarding_marks",
                        to="partners.membership",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="marks",
                        to="partners.onboardingstep",
                    ),
                ),
            ],
            options={
                "verbose_name": "onboarding step done",
                "verbose_name_plural": "onboarding steps done",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "step"), name="partners_onboardingmark_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProgramResource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="res")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("guide", "Guide"),
                            ("logo", "Logo or image"),
                            ("product", "Product information"),
                            ("text", "Text to use"),
                            ("training", "Training"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("title", models.CharField(max_length=140, verbose_name="title")),
                ("description", models.CharField(blank=True, max_length=300, verbose_name="what it is for")),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("en", "English"), ("fr", "French"), ("pl", "Polish")],
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                ("url", models.URLField(blank=True, max_length=300, verbose_name="address")),
                ("file", models.FileField(blank=True, max_length=200, upload_to="", verbose_name="file")),
                ("file_name", models.CharField(blank=True, editable=False, max_length=120)),
                ("added_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resources",
                        to="tiers.program",
                    ),
                ),
                (
                    "removed_by",
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
                "verbose_name": "resource",
                "verbose_name_plural": "resources",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["guide", "logo", "product", "text", "training", "other"])
                        ),
                        name="partners_programresource_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("removed_at__isnull", True), ("removed_by__isnull", True)),
                            models.Q(("removed_at__isnull", False), ("removed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_programresource_removed_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("url", ""), _negated=True),
                            models.Q(("file", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="partners_programresource_leads_somewhere",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProgramText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("fr", "French"), ("pl", "Polish")],
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                ("headline", models.CharField(blank=True, max_length=140, verbose_name="headline")),
                ("introduction", models.TextField(blank=True, max_length=2000, verbose_name="introduction")),
                ("who_can_join", models.TextField(blank=True, max_length=2000, verbose_name="who can join")),
                (
                    "faq",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="A list of {question, answer}.",
                        verbose_name="questions and answers",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="texts", to="tiers.program"
                    ),
                ),
            ],
            options={
                "verbose_name": "text of a program page",
                "verbose_name_plural": "texts of program pages",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("program", "language"), name="partners_programtext_one_per_language"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProgramVisit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source_key", models.CharField(blank=True, max_length=40)),
                ("visited_on", models.DateField()),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="visits", to="tiers.program"
                    ),
                ),
            ],
            options={
                "verbose_name": "visits of a day",
                "verbose_name_plural": "visits of a day",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("program", "source_key", "visited_on"),
                        name="partners_programvisit_one_per_day",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Prospect",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="pro")),
                ("full_name", models.CharField(blank=True, max_length=120, verbose_name="name")),
                (
                    "company",
                    models.CharField(blank=True, max_length=140, verbose_name="company or creator name"),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("email_folded", models.CharField(blank=True, editable=False, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=40, verbose_name="phone")),
                ("website", models.URLField(blank=True, max_length=300, verbose_name="website or channel")),
                ("country", models.CharField(blank=True, max_length=64, verbose_name="country")),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("fr", "French"), ("pl", "Polish")],
                        default="en",
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("identified", "Identified"),
                            ("contacted", "Contacted"),
                            ("in_talks", "In talks"),
                            ("invited", "Invited"),
                            ("applied", "Applied"),
                            ("joined", "Joined"),
                            ("lost", "Not pursued"),
                        ],
                        default="identified",
                        max_length=12,
                        verbose_name="stage",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("linkedin", "LinkedIn"),
                            ("email", "E-mail"),
                            ("website", "Website"),
                            ("social", "Social network"),
                            ("event", "Event"),
                            ("advertisement", "Advertisement"),
                            ("partner", "Introduced by a partner"),
                            ("customer", "Customer"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                ("source_note", models.CharField(blank=True, max_length=140, verbose_name="where exactly")),
                (
                    "customer_reference",
                    models.CharField(
                        blank=True,
                        help_text="The id at the shop, for customers.",
                        max_length=100,
                        verbose_name="customer",
                    ),
                ),
                ("next_touch_on", models.DateField(blank=True, null=True, verbose_name="next touch")),
                (
                    "competes_with",
                    models.CharField(
                        blank=True,
                        help_text="Partners whose customers are the same; they do not recommend each other.",
                        max_length=200,
                        verbose_name="competes or overlaps with",
                    ),
                ),
                ("notes", models.TextField(blank=True, max_length=4000, verbose_name="notes")),
                ("created_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="prospects",
                        to="partners.application",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "introducer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="introduced_prospects",
                        to="partners.membership",
                        verbose_name="introduced by",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prospects",
                        to="partners.membership",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prospects",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prospects",
                        to="tiers.program",
                        verbose_name="program",
                    ),
                ),
            ],
            options={
                "verbose_name": "prospect",
                "verbose_name_plural": "prospects",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "stage__in",
                                [
                                    "identified",
                                    "contacted",
                                    "in_talks",
                                    "invited",
                                    "applied",
                                    "joined",
                                    "lost",
                                ],
                            )
                        ),
                        name="partners_prospect_stage",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "source__in",
                                [
                                    "linkedin",
                                    "email",
                                    "website",
                                    "social",
                                    "event",
                                    "advertisement",
                                    "partner",
                                    "customer",
                                    "other",
                                ],
                            )
                        ),
                        name="partners_prospect_source",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            models.Q(("email_folded", ""), _negated=True),
                            models.Q(("stage__in", ["joined", "lost"]), _negated=True),
                        ),
                        fields=("program", "email_folded"),
                        name="partners_prospect_one_open_per_mailbox",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProgramInvitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="pin")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                ("email_folded", models.CharField(editable=False, max_length=254)),
                ("full_name", models.CharField(blank=True, max_length=120, verbose_name="name")),
                (
                    "company",
                    models.CharField(blank=True, max_length=140, verbose_name="company or creator name"),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("fr", "French"), ("pl", "Polish")],
                        default="en",
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                ("message", models.TextField(blank=True, max_length=4000, verbose_name="personal message")),
                (
                    "addendum",
                    models.TextField(
                        blank=True,
                        help_text="What is agreed beside the program's terms. It becomes an amendment.",
                        max_length=20000,
                        verbose_name="addendum proposed",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waiting for an answer"),
                            ("countered", "Answered with a counter-proposal"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
                        ],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("token_sha256", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "membership_key",
                    models.CharField(
                        default=functools.partial(prm.lib.ids.public_id, *("mem",)),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("invited_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "introducer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="introduced_invitations",
                        to="partners.membership",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="program_invitation",
                        to="partners.membership",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="program_invitations",
                        to="tiers.program",
                    ),
                ),
                (
                    "tier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tiers.tier",
                        verbose_name="tier",
                    ),
                ),
                (
                    "prospect",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="partners.prospect",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation into a program",
                "verbose_name_plural": "invitations into programs",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["open", "countered", "accepted", "declined", "withdrawn", "expired"],
                            )
                        ),
                        name="partners_programinvitation_state",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["open", "countered"])),
                        fields=("program", "email_folded"),
                        name="partners_programinvitation_one_living",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "accepted"), _negated=True),
                            models.Q(("answered_at__isnull", False), ("membership__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_programinvitation_accepted_has_membership",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CounterProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="ctr")),
                ("text", models.TextField(max_length=4000, verbose_name="what they would rather have")),
                ("made_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.TextField(blank=True, max_length=4000, verbose_name="our answer")),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the person invited.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="counters",
                        to="partners.membership",
                    ),
                ),
                (
                    "plan_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="counters",
                        to="tiers.planversion",
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="counters",
                        to="partners.programinvitation",
                    ),
                ),
            ],
            options={
                "verbose_name": "counter-proposal",
                "verbose_name_plural": "counter-proposals",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("answered_by__isnull", True)),
                            models.Q(("answered_at__isnull", False), ("answered_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_counterproposal_answered_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("invitation__isnull", False), ("membership", None)),
                            models.Q(("invitation", None), ("membership__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_counterproposal_to_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProspectTouch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("call", "Call"),
                            ("meeting", "Meeting"),
                            ("event", "Event"),
                            ("social", "Social network"),
                            ("note", "Note"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("text", models.TextField(max_length=2000, verbose_name="what was said")),
                ("touched_at", models.DateTimeField()),
                (
                    "prospect",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="touches",
                        to="partners.prospect",
                    ),
                ),
                (
                    "touched_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "touch",
                "verbose_name_plural": "touches",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["email", "call", "meeting", "event", "social", "note"])
                        ),
                        name="partners_prospecttouch_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecruitingLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="rcl")),
                ("key", models.SlugField(max_length=40, verbose_name="word in the address")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("linkedin", "LinkedIn"),
                            ("email", "E-mail"),
                            ("website", "Website"),
                            ("social", "Social network"),
                            ("event", "Event"),
                            ("advertisement", "Advertisement"),
                            ("partner", "Introduced by a partner"),
                            ("customer", "Customer"),
                            ("other", "Other"),
                        ],
                        max_length=16,
                        verbose_name="where it is put",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recruiting_links",
                        to="partners.membership",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recruiting_links",
                        to="tiers.program",
                    ),
                ),
            ],
            options={
                "verbose_name": "recruiting link",
                "verbose_name_plural": "recruiting links",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("program", "key"), name="partners_recruitinglink_one_per_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "channel__in",
                                [
                                    "linkedin",
                                    "email",
                                    "website",
                                    "social",
                                    "event",
                                    "advertisement",
                                    "partner",
                                    "customer",
                                    "other",
                                ],
                            )
                        ),
                        name="partners_recruitinglink_channel",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at__isnull", True)),
                        fields=("membership",),
                        name="partners_recruitinglink_one_per_member",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="ref")),
                ("full_name", models.CharField(max_length=120, verbose_name="name")),
                ("company", models.CharField(blank=True, max_length=140, verbose_name="company")),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail")),
                (
                    "relation",
                    models.CharField(blank=True, max_length=140, verbose_name="how you know each other"),
                ),
                (
                    "token_sha256",
                    models.CharField(blank=True, editable=False, max_length=64, null=True, unique=True),
                ),
                ("asked_at", models.DateTimeField(blank=True, null=True, verbose_name="asked")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="answered")),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("confirmed", "Confirmed"), ("denied", "Not confirmed")],
                        max_length=12,
                        verbose_name="answer",
                    ),
                ),
                ("comment", models.TextField(blank=True, max_length=2000, verbose_name="comment")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="references",
                        to="partners.application",
                    ),
                ),
                (
                    "asked_by",
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
                "verbose_name": "reference",
                "verbose_name_plural": "references",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("asked_at__isnull", True), ("asked_by__isnull", True)),
                            models.Q(("asked_at__isnull", False), ("asked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_reference_asked_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("answer__in", ["", "confirmed", "denied"])),
                        name="partners_reference_answer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at", None)),
                            models.Q(models.Q(("answer", ""), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="partners_reference_answered_has_date",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", prm.lib.fields.PublicIdField(prefix="sus")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("terms_violation", "The terms were broken"),
                            ("inappropriate_content", "Inappropriate content"),
                            ("fake_traffic", "Traffic that is not real"),
                            ("fraud", "Fraud"),
                            ("spam", "Unwanted messages in our name"),
                            ("brand_abuse", "Misuse of our brand"),
                            ("terms_not_accepted", "New terms were not accepted in time"),
                            ("inactive", "No activity for a long time"),
                            ("program_closed", "The program is closed"),
                            ("own_wish", "The partner wishes to leave"),
                            ("merged", "Joined with another partner that is the same"),
                            ("other", "Another reason"),
                        ],
                        max_length=24,
                        verbose_name="reason",
                    ),
                ),
                (
                    "note",
                    models.TextField(blank=True, max_length=2000, verbose_name="message to the partner"),
                ),
                ("suspended_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suspensions",
                        to="partners.membership",
                    ),
                ),
                (
                    "suspended_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the product, by a consequence that was announced.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "suspension",
                "verbose_name_plural": "suspensions",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "terms_violation",
                                    "inappropriate_content",
                                    "fake_traffic",
                                    "fraud",
                                    "spam",
                                    "brand_abuse",
                                    "terms_not_accepted",
                                    "inactive",
                                    "program_closed",
                                    "own_wish",
                                    "merged",
                                    "other",
                                ],
                            )
                        ),
                        name="partners_suspension_reason",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("membership",),
                        name="partners_suspension_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lifted_at", None), ("lifted_at__gte", models.F("suspended_at")), _connector="OR"
                        ),
                        name="partners_suspension_lifted_after",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaitingMailbox",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("email_folded", models.CharField(blank=True, editable=False, max_length=254)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("fr", "French"), ("pl", "Polish")],
                        default="en",
                        max_length=5,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="waiting_mailboxes",
                        to="tiers.program",
                    ),
                ),
            ],
            options={
                "verbose_name": "waiting mailbox",
                "verbose_name_plural": "waiting mailboxes",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("told_at__isnull", True)),
                        fields=("program", "email_folded"),
                        name="partners_waitingmailbox_one_waiting",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Workload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "most_open",
                    models.PositiveSmallIntegerField(default=20, verbose_name="open applications at most"),
                ),
                ("takes_new", models.BooleanField(default=True, verbose_name="takes new applications")),
                (
                    "programs",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="tiers.program",
                        verbose_name="only of these programs",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workload",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "workload",
                "verbose_name_plural": "workloads",
            },
        ),
        migrations.AddField(
            model_name="acceptance",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="acceptance",
            name="person",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acceptances",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="answers",
            field=models.JSONField(
                blank=True, default=dict, verbose_name="answers to the program's own questions"
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="assigned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="changed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="last saved"),
        ),
        migrations.AddField(
            model_name="application",
            name="channels",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="A list of {kind, url, audience}.",
                verbose_name="channels",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="entered_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="entered_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="furthest_step",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="application",
            name="introducer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="introduced_applications",
                to="partners.membership",
                verbose_name="introduced by",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="manager",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assigned_applications",
                to=settings.AUTH_USER_MODEL,
                verbose_name="account manager",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="partnership_type",
            field=models.CharField(
                blank=True,
                choices=[
                    ("affiliate", "Affiliate"),
                    ("referral", "Referral partner"),
                    ("influencer", "Influencer"),
                    ("distributor", "Distributor"),
                    ("agency", "Agency or reseller"),
                ],
                max_length=20,
                verbose_name="partnership type",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="postcode",
            field=models.CharField(blank=True, max_length=16, verbose_name="postcode"),
        ),
        migrations.AddField(
            model_name="application",
            name="reminded_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="reminded"),
        ),
        migrations.AddField(
            model_name="application",
            name="street",
            field=models.CharField(blank=True, max_length=90, verbose_name="street and number"),
        ),
        migrations.AddField(
            model_name="application",
            name="town",
            field=models.CharField(blank=True, max_length=35, verbose_name="town"),
        ),
        migrations.AddField(
            model_name="application",
            name="vat_number",
            field=models.CharField(blank=True, max_length=20, verbose_name="VAT number"),
        ),
        migrations.AddField(
            model_name="partner",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="partner",
            name="languages",
            field=models.JSONField(blank=True, default=list, verbose_name="languages spoken"),
        ),
        migrations.AddField(
            model_name="partner",
            name="legal_form",
            field=models.CharField(
                blank=True,
                choices=[
                    ("sole_trader", "Sole trader"),
                    ("company", "Company"),
                    ("partnership", "Partnership of persons"),
                    ("association", "Association or charity"),
                    ("public_body", "Public body"),
                    ("other", "Other"),
                ],
                max_length=16,
                verbose_name="legal form",
            ),
        ),
        migrations.AddField(
            model_name="partner",
            name="merged_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="partner",
            name="merged_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="partner",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_partners",
                to="partners.partner",
            ),
        ),
        migrations.AddField(
            model_name="partner",
            name="region",
            field=models.CharField(blank=True, max_length=35, verbose_name="state or region"),
        ),
        migrations.AddField(
            model_name="partner",
            name="specialities",
            field=models.JSONField(blank=True, default=list, verbose_name="specialities"),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="accept_within_days",
            field=models.PositiveSmallIntegerField(
                default=30,
                help_text="From the day the version is in force. Members who have not accepted by then meet the consequence.",
                verbose_name="days to accept",
            ),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="asks_members",
            field=models.BooleanField(
                default=True,
                help_text="Leave it out for corrections that take nothing away from anybody.",
                verbose_name="members have to accept it again",
            ),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="consequence",
            field=models.CharField(
                choices=[
                    ("payments_wait", "Payments wait until the terms are accepted"),
                    ("suspended", "The membership is suspended: links and codes earn nothing"),
                ],
                default="payments_wait",
                max_length=16,
                verbose_name="if it is not accepted",
            ),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="notice_days",
            field=models.PositiveSmallIntegerField(
                default=30,
                help_text="Members hear of a change at least this many days before it is in force.",
                verbose_name="notice, days",
            ),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="notice_sent_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="pdf",
            field=models.FileField(blank=True, editable=False, max_length=200, upload_to=""),
        ),
        migrations.AddField(
            model_name="termsversion",
            name="pdf_sha256",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AlterField(
            model_name="application",
            name="company",
            field=models.CharField(blank=True, max_length=140, verbose_name="company or creator name"),
        ),
        migrations.AlterField(
            model_name="application",
            name="country",
            field=models.CharField(blank=True, max_length=64, verbose_name="country"),
        ),
        migrations.AlterField(
            model_name="application",
            name="email",
            field=models.EmailField(blank=True, max_length=254, verbose_name="e-mail"),
        ),
        migrations.AlterField(
            model_name="application",
            name="email_folded",
            field=models.CharField(blank=True, editable=False, max_length=254),
        ),
        migrations.AlterField(
            model_name="application",
            name="full_name",
            field=models.CharField(blank=True, max_length=120, verbose_name="your name"),
        ),
        migrations.AlterField(
            model_name="application",
            name="phone",
            field=models.CharField(blank=True, max_length=40, verbose_name="phone"),
        ),
        migrations.AddConstraint(
            model_name="acceptance",
            constraint=models.UniqueConstraint(
                condition=models.Q(("membership__isnull", False)),
                fields=("terms_version", "membership"),
                name="partners_acceptance_once_per_membership",
            ),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("merged_at__isnull", True),
                        ("merged_by__isnull", True),
                        ("merged_into__isnull", True),
                    ),
                    models.Q(
                        ("merged_at__isnull", False),
                        ("merged_by__isnull", False),
                        ("merged_into__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="partners_partner_merged_together",
            ),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None),
                    models.Q(("merged_into", models.F("pk")), _negated=True),
                    _connector="OR",
                ),
                name="partners_partner_not_merged_into_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "legal_form__in",
                        ["", "sole_trader", "company", "partnership", "association", "public_body", "other"],
                    )
                ),
                name="partners_partner_legal_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="termsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("consequence__in", ["payments_wait", "suspended"])),
                name="partners_termsversion_consequence",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="rule",
            field=models.ForeignKey(
                blank=True,
                help_text="The rule that decided, when no person looked at it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="applications",
                to="partners.eligibilityrule",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="form",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="applications",
                to="partners.formversion",
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="source_link",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="applications",
                to="partners.recruitinglink",
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["email_folded"], name="partners_application_mailbox"),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entered_at__isnull", True), ("entered_by__isnull", True)),
                    models.Q(("entered_at__isnull", False), ("entered_by__isnull", False)),
                    _connector="OR",
                ),
                name="partners_application_entered_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("assigned_at__isnull", True), ("manager__isnull", True)),
                    models.Q(("assigned_at__isnull", False), ("manager__isnull", False)),
                    _connector="OR",
                ),
                name="partners_application_assigned_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "draft"),
                    ("erased_at__isnull", False),
                    models.Q(
                        models.Q(("email_folded", ""), _negated=True),
                        models.Q(("full_name", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="partners_application_sent_by_somebody",
            ),
        ),
    ]
