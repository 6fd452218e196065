"""Tell people that the job they started has ended. Short jobs end before their starter's eyes and are not worth a mail."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from prm.lib.addresses import absolute
from prm.mail import outbox
from prm.runs.choices import RunState
from prm.runs.lifecycle import RunEnded
from prm.runs.models import Run
from prm.runs.terminal import clock_text

WORTH_A_MAIL = timedelta(seconds=60)
SHORT_TITLE = 44


def tell_starter(event: RunEnded) -> None:
    """Queue a mail to whoever started the run, when it took more than a minute and was not theirs to stop."""
    run = Run.objects.select_related("created_by").get(pk=event.run_id)
    starter = run.created_by
    if (
        starter is None
        or run.state == RunState.CANCELLED
        or run.started_at is None
        or run.finished_at is None
    ):
        return
    took = run.finished_at - run.started_at
    if took <= WORTH_A_MAIL:
        return
    with translation.override(starter.language):
        state, button = str(run.get_state_display()), _("Open the run")
    outbox.queue(
        "run_ended",
        to=starter.email,
        key=f"run_ended:{run.public_id}:{run.finished_at.isoformat()}",
        about=run.public_id,
        language=starter.language,
        context={
            "title": run.title,
            "short_title": run.title[:SHORT_TITLE],
            "state": state,
            "went_well": run.state == RunState.FINISHED,
            "took": clock_text(round(took.total_seconds())),
            "failed": run.failed,
            "button_url": absolute(reverse("admin:runs_run_change", args=[run.pk])),
            "button_text": button,
        },
    )
