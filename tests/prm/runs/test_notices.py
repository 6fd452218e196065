from datetime import timedelta
from typing import Any

import pytest

from prm.mail.models import OutgoingMail
from prm.runs import notices
from prm.runs.choices import RunState
from prm.runs.lifecycle import RunEnded
from tests.factories.prm import NOW, RunFactory, UserFactory

pytestmark = pytest.mark.django_db


def ended(**changes: Any) -> RunEnded:
    values = {
        "created_by": UserFactory(email="fiona@example.org"),
        "state": RunState.FINISHED,
        "started_at": NOW,
        "finished_at": NOW + timedelta(seconds=61),
        **changes,
    }
    return RunEnded(RunFactory(**values).pk)


def test_whoever_waited_longer_than_a_minute_is_told_once() -> None:
    event = ended(title="Close October 2026 for a program with a very long name indeed")
    notices.tell_starter(event)
    notices.tell_starter(event)

    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.kind) == ("fiona@example.org", "run_ended")
    assert mail.subject.startswith("Finished: Close October 2026")
    assert len(mail.subject) <= 60
    assert "Took: 1:01" in mail.text
    assert "/admin/runs/run/" in mail.text


def test_a_run_that_failed_says_so_in_its_subject() -> None:
    notices.tell_starter(ended(state=RunState.FAILED))
    assert OutgoingMail.objects.get().subject == "Needs a look: Close October 2026"


@pytest.mark.parametrize(
    "change",
    [
        {"created_by": None},
        {"state": RunState.CANCELLED},
        {"finished_at": NOW + timedelta(seconds=60)},
        {"started_at": None},
    ],
)
def test_nobody_is_told_what_they_saw_or_did_themselves(change: dict[str, Any]) -> None:
    notices.tell_starter(ended(**change))
    assert OutgoingMail.objects.count() == 0
