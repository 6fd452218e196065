"""Bind the runs app: the progress of long jobs. Web pages and command line read the same row."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RunsConfig(AppConfig):
    """Long jobs and how far they are."""

    name = "prm.runs"
    label = "runs"
    verbose_name = _("Runs")
