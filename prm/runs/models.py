"""How far a long job is. One row is read by the admin, the portal and the command line, and only one worker at a time owns it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import not_negative, one_of
from prm.lib.fields import PublicIdField
from prm.runs.choices import OPEN_STATES, RunState

SILENCE = timedelta(seconds=60)


class RunQuerySet(models.QuerySet["Run"]):
    """Questions asked of long jobs."""

    def open(self) -> Self:
        """Keep jobs that have not come to an end."""
        return self.filter(state__in=OPEN_STATES)

    def silent(self, *, at: datetime) -> Self:
        """Keep open jobs that have given no sign of life for longer than a minute at `at`."""
        seen = Coalesce("heartbeat_at", "created_at")
        return self.open().annotate(seen_at=seen).filter(seen_at__lt=at - SILENCE)

    def claimable(self, *, at: datetime) -> Self:
        """Keep jobs a worker may take: waiting ones, and running ones whose worker has gone silent."""
        waiting = models.Q(state=RunState.QUEUED)
        abandoned = models.Q(state=RunState.RUNNING, is_resumable=True, heartbeat_at__lt=at - SILENCE)
        return self.filter(waiting | abandoned)

    def newest_first(self) -> Self:
        """Order by the newest job first."""
        return self.order_by("-created_at", "-pk")


class Run(models.Model):
    """One long job: an import, an accrual, a month close, a pay run."""

    public_id = PublicIdField(prefix="run")
    kind = models.CharField(_("kind"), max_length=40)
    subject = models.CharField(_("about"), max_length=64, blank=True)
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(_("state"), max_length=24, choices=RunState.choices, default=RunState.QUEUED)
    phase = models.CharField(_("phase"), max_length=80, blank=True)
    phases = models.JSONField(_("phases"), default=list, blank=True)
    done = models.BigIntegerField(_("done"), default=0)
    total = models.BigIntegerField(_("total"), null=True, blank=True)
    failed = models.BigIntegerField(_("failed"), default=0)
    skipped = models.BigIntegerField(_("skipped"), default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        on_delete=models.PROTECT,
        related_name="runs",
        null=True,
        blank=True,
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    phase_started_at = models.DateTimeField(_("phase started"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancel asked"), null=True, blank=True)
    is_resumable = models.BooleanField(_("a worker may take it over"), default=True)
    owner = models.CharField(_("worker"), max_length=64, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    idempotency_key = models.CharField(_("idempotency key"), max_length=200, null=True, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    result = models.JSONField(_("result"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    log_tail = models.TextField(_("log"), blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = (
            models.UniqueConstraint(fields=["idempotency_key"], name="runs_run_idempotency_key_unique"),
            # Two workers closing the same month would only get in each other's way, so the second is told.
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(state__in=OPEN_STATES) & ~models.Q(subject=""),
                name="runs_run_one_open_per_subject",
            ),
            one_of("state", RunState, name="runs_run_state_known"),
            not_negative("done", name="runs_run_done_not_negative"),
            not_negative("failed", name="runs_run_failed_not_negative"),
            not_negative("skipped", name="runs_run_skipped_not_negative"),
            models.CheckConstraint(
                condition=models.Q(finished_at=None, state__in=OPEN_STATES)
                | (models.Q(finished_at__isnull=False) & ~models.Q(state__in=OPEN_STATES)),
                name="runs_run_finished_at_matches_state",
            ),
        )
        indexes = (
            models.Index(fields=["state", "heartbeat_at"], name="runs_run_state_heartbeat"),
            models.Index(fields=["kind", "-created_at"], name="runs_run_kind_created"),
            models.Index(fields=["subject", "-created_at"], name="runs_run_subject_created"),
        )

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Say whether the job has not come to an end."""
        return self.state in OPEN_STATES

    def is_silent(self, *, at: datetime) -> bool:
        """Say whether the job is open and has given no sign of life for longer than a minute."""
        seen = self.heartbeat_at or self.created_at
        return self.is_open and seen < at - SILENCE
