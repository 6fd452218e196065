"""Translations of what partners and applicants read: public pages, the portal, documents and mails.

    python tools/messages.py            say what is missing or stale; exit code 1 when anything is
    python tools/messages.py update     add missing messages to the .po files, without a translation yet
    python tools/messages.py compile    write the .mo files

Pure Python on purpose: no gettext programs are needed, neither here nor where the product runs. The .mo files are committed, so that a
clone works as it is.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("fr", "pl")
SOURCES = (
    # What partners and applicants read: pages, refusals, sentences about rates.
    "templates/base.html",
    "templates/[45]*.html",
    "templates/account/*.html",
    "templates/allauth/*/*.html",
    "templates/components/*.html",
    "templates/public/*.html",
    "templates/portal/*.html",
    "templates/portal/*/*.html",
    "portal/*.py",
    "portal/templatetags/*.py",
    "portal/views/*.py",
    "partners/*.py",
    "partners/application_forms/*.py",
    "partners/terms/*.py",
    "partners/business_plans/*.py",
    "partners/certification/*.py",
    "partners/engagement/*.py",
    "partners/tier_reviews/appeals.py",
    "partners/tier_reviews/cases.py",
    "partners/tier_reviews/decisions.py",
    "partners/tier_reviews/remedies.py",
    "tiers/audience.py",
    "tiers/benefits.py",
    "tiers/narrowing.py",
    "tiers/requirement_*.py",
    "tiers/sentence*.py",
    "prm/accounts/adapter.py",
    "prm/accounts/forms.py",
    "prm/documents.py",
    "prm/lib/*.py",
    # Documents, the page that checks them, and every mail.
    "templates/documents/*.html",
    "templates/emails/_base.*",
    "templates/emails/*/*",
    "payouts/account_words.py",
    "payouts/einvoice/invoice_page.py",
    "payouts/explained/*.py",
    "payouts/exports/statement_*.py",
    "payouts/exports/xlsx.py",
    "payouts/notices*.py",
    "payouts/settlement.py",
    "payouts/onboarding_steps.py",
    "payouts/tax/agreement.py",
    "payouts/tax/invoice_facts.py",
    "payouts/disputes/*.py",
    "payouts/postbacks/*.py",
    "payouts/reports/*.py",
    "payouts/risk/common.py",
    "payouts/risk/notices.py",
    "payouts/risk/words.py",
    "referrals/attribution/*.py",
    "referrals/attribution_notices.py",
    "referrals/attribution_sentences.py",
    "referrals/codes.py",
    "referrals/link_facts.py",
    "referrals/link_form.py",
    "referrals/links.py",
    "referrals/onboarding_steps.py",
    "referrals/share_kit.py",
)
# Among these, what only staff read; the back office is in English.
STAFF_ONLY = (
    "payouts/disputes/report.py",
    "payouts/reports/staff.py",
    "referrals/attribution/apply.py",
    "referrals/attribution/correct.py",
    "partners/application_forms/definition.py",
    "partners/application_forms/differences.py",
    "partners/application_forms/editing.py",
    "partners/application_forms/publishing.py",
    "partners/approval.py",
    "partners/assignment.py",
    "partners/blocking.py",
    "partners/bulk.py",
    "partners/certification/consequences.py",
    "partners/certification/courses.py",
    "partners/certification/lessons.py",
    "partners/certification/ordering.py",
    "partners/certification/quiz.py",
    "partners/duplicates.py",
    "partners/engagement/bulk.py",
    "partners/engagement/figure*.py",
    "partners/eligibility*.py",
    "partners/entering.py",
    "partners/erasing.py",
    "partners/erasure*.py",
    "partners/funnel.py",
    "partners/introductions_merging.py",
    "partners/invitation_lists.py",
    "partners/invitations.py",
    "partners/launch*.py",
    "partners/merging*.py",
    "partners/pasted_lists.py",
    "partners/placement.py",
    "partners/program_texts.py",
    "partners/recruiting.py",
    "partners/recruiting_links.py",
    "partners/resources.py",
    "partners/screening*.py",
    "partners/terms/publishing.py",
    "partners/tier_places.py",
    "portal/views/style_guide.py",
    "templates/portal/style_guide.html",
)
# Of long lists of choices only those that documents and mails name.
CHOICES = {
    "tiers/choices.py": ("PartnershipType", "BenefitKind", "EventKind"),
    "payouts/choices.py": (
        "MoveKind",
        "CommissionKind",
        "PaymentMethodKind",
        "VatMode",
        "TaxFormKind",
        "AdjustmentKind",
        "AdjustmentReason",
        "DisputeCause",
        "PostbackDeliveryState",
        "PostbackEvent",
        "ReportDimension",
        "RiskKind",
    ),
    "referrals/choices.py": ("ClickKind", "TouchKind"),
}
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "_later": None,
    "_t": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}


def wanted() -> dict[str | tuple[str, ...], str]:
    """Return every message, with the file it was first found in."""
    found: dict[str | tuple[str, ...], str] = {}
    for path, text in _texts():
        options = {"encoding": "utf-8"}
        for _line, message, _comments, _context in extract(
            "python", io.BytesIO(text.encode()), keywords=_KEYWORDS, options=options
        ):
            found.setdefault(message, path)
    return found


def catalog(language: str) -> Catalog:
    """Return the translations into a language as they are written down."""
    with _po(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(language: str) -> bytes:
    """Return what the .mo file of a language has to be."""
    target = io.BytesIO()
    write_mo(target, catalog(language))
    return target.getvalue()


def problems() -> list[str]:
    """Say what is missing, wrong or stale, one sentence each."""
    messages = wanted()
    return [problem for language in LANGUAGES for problem in _problems_of(language, messages)]


def _problems_of(language: str, messages: dict[str | tuple[str, ...], str]) -> Iterator[str]:
    known = catalog(language)
    for message, path in messages.items():
        written = known.get(message if isinstance(message, str) else message[0])
        if written is None or not _is_translated(written, known.num_plurals):
            yield f"{language}: {path} says {message!r}, which has no translation."
        elif _placeholders(written.id) != _placeholders(written.string):
            yield f"{language}: the translation of {message!r} has other placeholders."
    mo = _po(language).with_suffix(".mo")
    if not mo.exists() or mo.read_bytes() != compiled(language):
        yield f"{language}: {mo.relative_to(ROOT)} is older than its .po; run: python tools/messages.py compile"


def _is_translated(message: Message, plurals: int) -> bool:
    if isinstance(message.string, str):
        return bool(message.string) and isinstance(message.id, str)
    return len(message.string) == plurals and all(message.string)


def _placeholders(texts: str | tuple[str, ...] | list[str]) -> set[str]:
    # A singular may name its one thing in a word, so what any form names counts.
    every = [texts] if isinstance(texts, str) else list(texts)
    return {name for text in every for name in re.findall(r"%\((\w+)\)s", text)}


def _texts() -> Iterator[tuple[str, str]]:
    from django.utils.translation.template import templatize

    for_staff = {path for pattern in STAFF_ONLY for path in ROOT.glob(pattern)}
    for pattern in SOURCES:
        for path in sorted(set(ROOT.glob(pattern)) - for_staff):
            text, name = path.read_text(), str(path.relative_to(ROOT))
            yield name, text if path.suffix == ".py" else _flat(templatize(text))
    for name, classes in CHOICES.items():
        source = (ROOT / name).read_text()
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and node.name in classes:
                yield name, ast.unparse(node)


def _flat(text: str) -> str:
    """Return what a template says to Python's tokenizer, which minds indentation."""
    return "\n".join(line.lstrip() for line in text.splitlines())


def _po(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def _update() -> None:
    for language in LANGUAGES:
        known = catalog(language)
        for message, path in wanted().items():
            if (message if isinstance(message, str) else message[0]) not in known:
                known.add(message, locations=[(path, 0)])
        with _po(language).open("wb") as file:
            write_po(file, known, width=110, sort_output=True, omit_header=False, include_lineno=False)


def _compile() -> None:
    for language in LANGUAGES:
        _po(language).with_suffix(".mo").write_bytes(compiled(language))


def main(arguments: list[str]) -> int:
    """Do what was asked and return the exit code."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_I18N=False)
        django.setup()
    if arguments == ["update"]:
        _update()
    elif arguments == ["compile"]:
        _compile()
    found = problems() if not arguments else []
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
