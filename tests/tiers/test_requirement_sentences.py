"""What tiers ask is told in sentences a partner can check against a figure."""

from __future__ import annotations

from fractions import Fraction

import pytest
from django.utils import translation

from partners.models import Certification
from tests.factories.prm import UserFactory
from tests.factories.tiers import EPOCH, ProgramFactory
from tiers.models import Program
from tiers.qualify import METRICS, Ask, Question, Requirement, Window
from tiers.qualify import scheme as parts
from tiers.requirement_sentences import combined, of_ask, sentence, window_text
from tiers.requirement_words import COUNTED, METRIC_NAMES, SENTENCES

POUNDS = Program(currency="GBP", time_zone="Europe/London")
NOW, TRAILING = Window(), Window(parts.TRAILING, 12)


def asked(
    metric: str, threshold: object, window: Window = NOW, operator: str = "at_least", **only: str
) -> Requirement:
    params = tuple((name, tuple(values.split())) for name, values in sorted(only.items()))
    return Requirement("r", Question(metric, window, params), operator, Fraction(str(threshold)))


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        (
            asked("net_revenue", 5_000_000, TRAILING),
            "Net revenue of at least £50,000.00 in the last 12 months",
        ),
        (asked("sales", 1, Window(parts.QUARTER)), "At least 1 sale in the last whole quarter"),
        (asked("sales", 1200, Window(parts.EVER)), "At least 1,200 sales since the beginning"),
        (asked("certified_ratio", 80, role="sales"), "At least 80% of your staff certified (Sales)"),
        (
            asked("certified_count", 2, role="sales presales", country="France"),
            "At least 2 people certified (France, Presales or Sales)",
        ),
        (
            asked("activities", 3, Window(parts.YEAR), kind="webinar case_study"),
            "At least 3 confirmed activities in the last whole calendar year (Case study or Webinar)",
        ),
        (
            asked("customer_retention", "74.5", Window(parts.HALF_YEAR)),
            "At least 74.5% of your earlier customers bought again in the last whole half-year",
        ),
        (
            asked("average_order", 12_50, Window(parts.MONTH), "at_most"),
            "An average order of at most £12.50 in the last whole month",
        ),
        (asked("points", 500, Window(parts.TRAILING, 1)), "At least 500 points in the last month"),
        (
            asked("plan_attainment", 90, goal="net_revenue"),
            "At least 90% of your business plan reached (Net revenue)",
        ),
        (asked("joint_customers", 3), "At least 3 joint customers"),
        (asked("manual_score", 70), "An assessment by us of at least 70"),
    ],
)
def test_a_requirement_is_told_as_one_sentence(requirement: Requirement, told: str) -> None:
    assert sentence(requirement, POUNDS, "en_GB") == told


def test_every_metric_has_a_name_and_a_sentence_in_both_directions() -> None:
    assert set(METRIC_NAMES) == set(METRICS)
    assert {
        (metric, operator) for metric in set(METRICS) - set(COUNTED) for operator in parts.OPERATORS
    } == set(SENTENCES)
    for metric, facts in METRICS.items():
        window = TRAILING if facts.is_windowed else Window()
        for operator in parts.OPERATORS:
            told = sentence(asked(metric, 7, window, operator), POUNDS, "en_GB")
            assert "%(" not in told
            assert ("in the last 12 months" in told) == facts.is_windowed


@pytest.mark.django_db
def test_a_certification_is_named_in_the_readers_language() -> None:
    program = ProgramFactory()
    Certification.objects.create(
        program=program,
        key="sales-specialist",
        name={"en": "Sales specialist", "fr": "Spécialiste des ventes"},
        created_at=EPOCH,
        created_by=UserFactory(),
    )
    requirement = asked("certified_ratio", 80, certification="sales-specialist")
    assert sentence(requirement, program, "en_GB").endswith("(Sales specialist)")
    with translation.override("fr"):
        assert "(Spécialiste des ventes)" in sentence(requirement, program, "fr")


def test_how_requirements_go_together_is_said_above_them() -> None:
    pair = (asked("joint_customers", 3), asked("manual_score", 70))
    assert [combined(Ask(pair, how, 5)) for how in parts.COMBINES] == [
        "All of these:",
        "One of these is enough:",
        "What is met has to count 5 together:",
    ]
    assert combined(Ask(pair[:1])) == combined(Ask()) == ""
    weighed = Ask(
        (Requirement("a", Question("joint_customers"), "at_least", Fraction(3), 40),), "weights", 40
    )
    assert of_ask(weighed, POUNDS, "en_GB") == ["At least 3 joint customers: counts 40"]
    assert window_text(Window()) == ""
