"""The command makes the same decision as the back office, and its exit code says how it went."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from partners.choices import ApplicationState
from partners.models import Application, Membership
from tests.factories.partners import ApplicationFactory
from tests.factories.tiers import TierFactory
from tests.people import felix, mats

pytestmark = pytest.mark.django_db


def run(application: Application, *arguments: str) -> dict[str, str]:
    out = StringIO()
    call_command("decide_application", application.public_id, *arguments, "--json", stdout=out)
    answer: dict[str, str] = json.loads(out.getvalue())
    return answer


def test_it_approves_into_the_tier_named() -> None:
    application = ApplicationFactory()
    TierFactory(program=application.program, key="bronze", rank=1)
    TierFactory(program=application.program, key="gold", rank=2)
    answer = run(application, "--approve", "--tier", "gold", "--by", mats().email)
    membership = Membership.objects.get()
    assert (answer["state"], answer["tier"], answer["membership"]) == (
        "approved",
        "gold",
        membership.public_id,
    )


def test_without_a_tier_it_takes_the_lowest() -> None:
    application = ApplicationFactory()
    TierFactory(program=application.program, key="gold", rank=2)
    TierFactory(program=application.program, key="bronze", rank=1)
    assert run(application, "--approve", "--by", mats().email)["tier"] == "bronze"


def test_it_declines_with_a_reason_and_a_date() -> None:
    application = ApplicationFactory()
    run(application, "--reject", "fit", "--reapply-on", "2099-01-01", "--by", mats().email)
    application.refresh_from_db()
    assert (application.state, str(application.reapply_on)) == (ApplicationState.REJECTED, "2099-01-01")


def test_a_refusal_ends_with_one_and_wrong_use_with_two() -> None:
    application = ApplicationFactory()
    by = mats().email
    TierFactory(program=application.program, key="bronze")
    cases = [
        (1, application.public_id, ["--approve", "--by", felix().email]),
        (1, application.public_id, ["--reject", "dislike", "--by", by]),
        (2, application.public_id, ["--approve", "--tier", "silver", "--by", by]),
        (2, application.public_id, ["--reject", "fit", "--reapply-on", "soon", "--by", by]),
        (2, application.public_id, ["--approve", "--by", "nobody@x.example"]),
        (2, "app_unknown", ["--approve", "--by", by]),
    ]
    for code, reference, arguments in cases:
        with pytest.raises(CommandError) as refusal:
            call_command("decide_application", reference, *arguments, "--json", stdout=StringIO())
        assert refusal.value.returncode == code, arguments
    application.refresh_from_db()
    assert application.state == ApplicationState.SUBMITTED
