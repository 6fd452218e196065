"""Where applicants come from, and what strangers are shown and counted as: recruiting links, visits, mailboxes waiting for a program to
open, texts of the program page. A visit is a number and names nobody."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import Channel
from prm.lib.constraints import one_of, only_one_open
from prm.lib.fields import PublicIdField


class RecruitingLink(models.Model):
    """A link to a program page that carries where it was put. With a membership it is a partner's own: who comes by it was introduced."""

    public_id = PublicIdField(prefix="rcl")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="recruiting_links")
    key = models.SlugField(_("word in the address"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    channel = models.CharField(_("where it is put"), max_length=16, choices=Channel.choices)
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="recruiting_links"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recruiting link")
        verbose_name_plural = _("recruiting links")
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="partners_recruitinglink_one_per_key"),
            one_of("channel", Channel, name="partners_recruitinglink_channel"),
            only_one_open("membership", until="retired_at", name="partners_recruitinglink_one_per_member"),
        ]

    def __str__(self) -> str:
        return self.name


class ProgramVisit(models.Model):
    """How often a program page was opened on one day, by the recruiting link that led there; no link is the empty key."""

    program = models.ForeignKey("tiers.Program", models.CASCADE, related_name="visits")
    source_key = models.CharField(max_length=40, blank=True)
    visited_on = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("visits of a day")
        verbose_name_plural = _("visits of a day")
        constraints = [
            models.UniqueConstraint(
                fields=["program", "source_key", "visited_on"], name="partners_programvisit_one_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} {self.visited_on} {self.source_key}: {self.count}"


class AbandonedDraft(models.Model):
    """How many applications were begun on one day and never sent, by how far they came. It is counted when they are deleted."""

    program = models.ForeignKey("tiers.Program", models.CASCADE, related_name="abandoned_drafts")
    form = models.ForeignKey("partners.FormVersion", models.PROTECT, related_name="+")
    source_key = models.CharField(max_length=40, blank=True)
    began_on = models.DateField()
    furthest_step = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("applications never sent")
        verbose_name_plural = _("applications never sent")
        constraints = [
            models.UniqueConstraint(
                fields=["program", "form", "source_key", "began_on", "furthest_step"],
                name="partners_abandoneddraft_one_per_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} {self.began_on} {self.source_key}: {self.count}"


class WaitingMailbox(models.Model):
    """A mailbox that asked to be told once when a program takes applications again; the address is forgotten when it was told."""

    program = models.ForeignKey("tiers.Program", models.CASCADE, related_name="waiting_mailboxes")
    email = models.EmailField(_("e-mail"), blank=True)
    email_folded = models.CharField(max_length=254, blank=True, editable=False)
    language = models.CharField(max_length=5, default="en", choices=settings.LANGUAGES)
    asked_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("waiting mailbox")
        verbose_name_plural = _("waiting mailboxes")
        constraints = [
            only_one_open(
                "program", "email_folded", until="told_at", name="partners_waitingmailbox_one_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} since {self.asked_at:%Y-%m-%d}"


class ProgramText(models.Model):
    """What staff write on a program's public page in one language; everything about money there is generated."""

    program = models.ForeignKey("tiers.Program", models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    headline = models.CharField(_("headline"), max_length=140, blank=True)
    introduction = models.TextField(_("introduction"), max_length=2000, blank=True)
    who_can_join = models.TextField(_("who can join"), max_length=2000, blank=True)
    faq = models.JSONField(
        _("questions and answers"), default=list, blank=True, help_text=_("A list of {question, answer}.")
    )

    class Meta:
        verbose_name = _("text of a program page")
        verbose_name_plural = _("texts of program pages")
        constraints = [
            models.UniqueConstraint(
                fields=["program", "language"], name="partners_programtext_one_per_language"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program_id} in {self.language}"
