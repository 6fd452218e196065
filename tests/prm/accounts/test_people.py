import pytest
from allauth.account.models import EmailAddress

from prm.accounts import people, policy
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from tests.factories.prm import NOW, UserFactory

pytestmark = pytest.mark.django_db


def test_opening_an_account_confirms_the_address_only_when_it_is_proven() -> None:
    ana = people.open_account(email="Ana@example.org", full_name="Ana", at=NOW, proven=True)
    ben = people.open_account(email="ben@example.org", at=NOW)

    assert EmailAddress.objects.get(user=ana).verified
    assert EmailAddress.objects.get(user=ana).email == "ana@example.org"
    assert not EmailAddress.objects.get(user=ben).verified
    assert AuditEvent.objects.filter(action="account.opened").count() == 2


def test_opening_twice_answers_with_the_first_account_unchanged() -> None:
    ana = people.open_account(email="ana@example.org", full_name="Ana", at=NOW)
    again = people.open_account(
        email="ANA@example.org", full_name="Mallory", at=NOW, password="another one here"
    )

    assert again == ana
    ana.refresh_from_db()
    assert ana.full_name == "Ana"
    assert not ana.has_usable_password()
    assert EmailAddress.objects.count() == 1


def test_changing_an_address_asks_for_proof_again() -> None:
    admin, ana = UserFactory(role=policy.ADMINISTRATOR), UserFactory(email="ana@example.org")
    people.change_email(ana, email="new@example.org", by=admin, at=NOW)

    ana.refresh_from_db()
    assert ana.email_folded == "new@example.org"
    assert list(EmailAddress.objects.filter(user=ana).values_list("email", "verified")) == [
        ("new@example.org", False)
    ]
    assert AuditEvent.objects.get(action="account.email_changed").details == {
        "before": "ana@example.org",
        "after": "new@example.org",
    }


def test_an_address_that_is_taken_is_refused_and_nothing_moves() -> None:
    admin, ana = UserFactory(role=policy.ADMINISTRATOR), UserFactory(email="ana@example.org")
    UserFactory(email="ben@example.org")

    with pytest.raises(people.AddressTaken):
        people.change_email(ana, email="BEN@example.org", by=admin, at=NOW)
    assert User.objects.get(pk=ana.pk).email == "ana@example.org"
    assert EmailAddress.objects.get(user=ana).email == "ana@example.org"


def test_roles_are_given_by_administrators_and_never_to_oneself() -> None:
    admin, fiona = UserFactory(role=policy.ADMINISTRATOR), UserFactory()
    people.set_roles(fiona, roles=frozenset({policy.FINANCE}), by=admin, at=NOW)

    assert policy.roles_held(fiona) == {policy.FINANCE}
    with pytest.raises(policy.Forbidden):
        people.set_roles(admin, roles=frozenset(), by=fiona, at=NOW)
    with pytest.raises(people.OwnRoles):
        people.set_roles(admin, roles=frozenset({policy.FINANCE}), by=admin, at=NOW)
    assert policy.roles_held(admin) == {policy.ADMINISTRATOR}
    assert AuditEvent.objects.get(action="account.roles_changed").details == {
        "before": [],
        "after": ["Finance"],
    }


def test_closing_an_account_is_recorded_once() -> None:
    admin, ana = UserFactory(role=policy.ADMINISTRATOR), UserFactory()
    people.close_account(ana, by=admin, at=NOW, note="left")
    people.close_account(ana, by=admin, at=NOW)

    assert not ana.is_active
    assert AuditEvent.objects.filter(action="account.closed").count() == 1
