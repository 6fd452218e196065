"""What the database itself refuses about inlets and remembered columns, whoever asks."""

from __future__ import annotations

import pytest

from referrals.models import Conversion, ImportMapping, Inlet
from tests.factories.referrals import ConversionFactory
from tests.factories.tracking import ImportMappingFactory, InletFactory
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db


def test_referrals_inlet_kind() -> None:
    assert_refused("referrals_inlet_kind", Inlet, lambda: InletFactory(kind="fax"))
    InletFactory(kind="pixel", secret="")


def test_referrals_importmapping_once_per_header() -> None:
    first = ImportMappingFactory()
    assert_refused(
        "referrals_importmapping_once_per_header",
        ImportMapping,
        lambda: ImportMappingFactory(source=first.source, header_sha256=first.header_sha256),
    )
    ImportMappingFactory(source="till", header_sha256=first.header_sha256)


def test_referrals_conversion_channel() -> None:
    assert_refused("referrals_conversion_channel", Conversion, lambda: ConversionFactory(channel="fax"))
    ConversionFactory(channel="pixel")
