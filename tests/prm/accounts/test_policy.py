import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group

from prm.accounts import policy
from prm.accounts.policy import ACCOUNT_MANAGER, ADMINISTRATOR, FINANCE
from tests.factories.prm import UserFactory

MONEY = [
    "accrue_commissions",
    "adjust_balances",
    "close_periods",
    "issue_statements",
    "prepare_pay_runs",
    "approve_pay_runs",
    "export_pay_runs",
    "settle_pay_runs",
    "see_ledger",
    "see_bank_details_masked",
    "confirm_payment_methods",
]
PARTNERS_AND_RATES = [
    "decide_applications",
    "place_in_tiers",
    "manage_partners",
    "publish_plans",
    "manage_tiers",
    "manage_programs",
    "publish_terms",
    "manage_staff",
    "correct_credits",
]


@pytest.mark.parametrize("capability", MONEY)
def test_account_managers_never_touch_money(capability: str) -> None:
    assert capability not in policy.CAPABILITIES[ACCOUNT_MANAGER]
    assert capability in policy.CAPABILITIES[FINANCE]


@pytest.mark.parametrize("capability", PARTNERS_AND_RATES)
def test_finance_decides_neither_who_is_a_partner_nor_at_what_rate(capability: str) -> None:
    assert capability not in policy.CAPABILITIES[FINANCE]
    assert capability in policy.CAPABILITIES[ADMINISTRATOR]


def test_account_managers_decide_applications_and_do_not_change_plans() -> None:
    assert "decide_applications" in policy.CAPABILITIES[ACCOUNT_MANAGER]
    assert "publish_plans" not in policy.CAPABILITIES[ACCOUNT_MANAGER]


def test_a_capability_nobody_knows_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        policy.may(AnonymousUser(), "fly")


@pytest.mark.django_db
class TestMay:
    def test_a_role_opens_what_it_lists(self) -> None:
        fiona = UserFactory(role=FINANCE)
        assert policy.may(fiona, "close_periods")
        assert not policy.may(fiona, "decide_applications")

    def test_strangers_partners_and_nobody_may_nothing(self) -> None:
        for visitor in (None, AnonymousUser(), UserFactory()):
            assert not any(policy.may(visitor, capability) for capability in policy.ALL_CAPABILITIES)

    def test_a_role_counts_only_for_staff_whose_account_is_open(self) -> None:
        user = UserFactory(role=FINANCE)
        user.is_active = False
        assert not policy.may(user, "close_periods")
        user.is_active, user.is_staff = True, False
        assert not policy.may(user, "close_periods")

    def test_the_break_glass_account_may_everything_while_it_is_open(self) -> None:
        root = UserFactory(is_staff=True, is_superuser=True)
        assert policy.may(root, "close_periods")
        root.is_active = False
        assert not policy.may(root, "close_periods")

    def test_being_refused_names_the_roles_that_may(self) -> None:
        with pytest.raises(policy.Forbidden) as refused:
            policy.require(UserFactory(role=ACCOUNT_MANAGER), "close_periods")
        assert refused.value.code == "forbidden"
        assert str(refused.value) == "This needs one of these roles: Finance, Administrator."

    def test_a_second_role_adds_to_the_first(self) -> None:
        user = UserFactory(role=FINANCE)
        policy.give_role(user, ACCOUNT_MANAGER)
        assert policy.may(user, "close_periods")
        assert policy.may(user, "decide_applications")

    def test_losing_the_last_role_is_leaving_the_staff(self) -> None:
        user = UserFactory(role=FINANCE)
        policy.replace_roles(user, [])
        user.refresh_from_db()
        assert not user.is_staff
        assert not policy.may(user, "close_periods")

    def test_a_role_that_does_not_exist_is_a_programming_error(self) -> None:
        with pytest.raises(ValueError, match="Pilot"):
            policy.replace_roles(UserFactory(), ["Pilot"])


@pytest.mark.django_db
class TestGroups:
    def test_the_groups_exist_after_a_migration(self) -> None:
        assert set(Group.objects.values_list("name", flat=True)) >= set(policy.ROLES)

    def test_making_them_again_restores_what_was_changed_by_hand(self) -> None:
        finance = Group.objects.get(name=FINANCE)
        before = set(finance.permissions.values_list("codename", flat=True))
        finance.permissions.clear()

        policy.ensure_groups()
        policy.ensure_groups()

        assert before
        assert set(finance.permissions.values_list("codename", flat=True)) == before

    def test_no_role_may_change_or_delete_money_rows_in_the_admin(self) -> None:
        money = {model._meta.model_name for model in apps.get_app_config("payouts").get_models()}
        for role in policy.ROLES:
            names = {
                name.removeprefix("payouts.") for name in policy.MODEL_PERMISSIONS[role] if "payouts." in name
            }
            assert names <= {f"view_{model}" for model in money if model}

    def test_every_model_permission_belongs_to_a_model(self) -> None:
        named = set().union(*policy.MODEL_PERMISSIONS.values())
        assert policy.missing_permissions(named) == []
