"""What the database itself refuses about links and codes, whoever asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from referrals.models import Code, Link
from tests.factories.referrals import NOW, CodeFactory, LinkFactory
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def test_referrals_link_not_its_own_replacement() -> None:
    link = LinkFactory.create()
    assert_refused(
        "referrals_link_not_its_own_replacement",
        Link,
        lambda: Link.objects.filter(pk=link.pk).update(replacement=link),
    )


def test_referrals_code_percent_0_to_100() -> None:
    for percent in ("0", "-1", "100.01"):
        assert_refused(
            "referrals_code_percent_0_to_100",
            Code,
            lambda percent=percent: CodeFactory(discount_percent=percent),
        )
    assert CodeFactory(discount_percent="100").pk


def test_referrals_code_discount_positive() -> None:
    assert_refused("referrals_code_discount_positive", Code, lambda: CodeFactory(discount_minor=0))


def test_referrals_code_one_discount() -> None:
    assert_refused(
        "referrals_code_one_discount", Code, lambda: CodeFactory(discount_minor=5_00, discount_percent="5")
    )


def test_referrals_code_retired_is_off() -> None:
    assert_refused("referrals_code_retired_is_off", Code, lambda: CodeFactory(retired_at=NOW))
    assert CodeFactory(retired_at=NOW, is_active=False).pk


def test_referrals_code_ends_after_start() -> None:
    assert_refused("referrals_code_ends_after_start", Code, lambda: CodeFactory(starts_at=NOW, ends_at=NOW))
    assert CodeFactory(starts_at=NOW, ends_at=NOW + timedelta(seconds=1)).pk


def test_links_and_codes_are_never_deleted_and_a_code_keeps_its_letters() -> None:
    link, code = LinkFactory.create(), CodeFactory.create()
    for act, said in (
        (lambda: Link.objects.filter(pk=link.pk).delete(), "switched off, never deleted"),
        (lambda: Code.objects.filter(pk=code.pk).delete(), "retired, never deleted"),
        (lambda: Code.objects.filter(pk=code.pk).update(code="OTHER"), "keeps its letters"),
        (lambda: Code.objects.filter(pk=code.pk).update(public_id="cod_x"), "keeps its letters"),
    ):
        with pytest.raises(IntegrityError, match=said), transaction.atomic():
            act()
    assert (Link.objects.count(), Code.objects.get().code) == (1, code.code)
