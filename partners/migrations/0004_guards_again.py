"""The guards of tables that were rebuilt, and those of the new ones. An acceptance may lose the person's details once, when the person is
erased; what was accepted, when, and by which membership stays."""

from django.db import migrations

from prm.lib.db import forbid_delete, forbid_update_of, refuse_when, triggers

_TERMS, _ACCEPTANCE = "partners_termsversion", "partners_acceptance"

_TERMS_FACTS = (
    "program_id",
    "number",
    "summary",
    "pricing",
    "what_counts",
    "how_measured",
    "support",
    "effective_at",
    "notice_days",
    "accept_within_days",
    "asks_members",
    "consequence",
    "published_at",
    "published_by_id",
    "sha256",
)
_PERSON = ("accepted_name", "accepted_email", "address", "person_id")


def _differ(columns: tuple[str, ...], word: str) -> str:
    return " OR ".join(f"OLD.{column} {word} NEW.{column}" for column in columns)


def _person_changed(word: str) -> str:
    erased = "OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL"
    return f"({_differ(_PERSON, word)}) AND NOT ({erased})"


class Migration(migrations.Migration):
    dependencies = [("partners", "0003_stranger_to_partner")]

    operations = [
        triggers(
            forbid_update_of(
                _TERMS,
                _TERMS_FACTS,
                when="OLD.published_at IS NOT NULL",
                message="Published terms cannot be changed: publish a new version.",
            ),
            refuse_when(
                "partners_termsversion_keep",
                _TERMS,
                before="DELETE",
                when="OLD.published_at IS NOT NULL",
                message="Published terms are never deleted.",
            ),
            forbid_update_of(
                _ACCEPTANCE,
                ("terms_version_id", "application_id", "accepted_at", "text_sha256"),
                message="An acceptance of terms cannot be changed.",
            ),
            refuse_when(
                "partners_acceptance_person",
                _ACCEPTANCE,
                before="UPDATE",
                when=_person_changed("IS DISTINCT FROM"),
                sqlite_when=_person_changed("IS NOT"),
                message="Who accepted terms cannot be changed, only erased.",
            ),
            refuse_when(
                "partners_acceptance_membership_once",
                _ACCEPTANCE,
                before="UPDATE",
                when="OLD.membership_id IS NOT NULL AND NEW.membership_id IS DISTINCT FROM OLD.membership_id",
                sqlite_when="OLD.membership_id IS NOT NULL AND NEW.membership_id IS NOT OLD.membership_id",
                message="An acceptance belongs to the membership it was made for.",
            ),
            forbid_delete(_ACCEPTANCE, message="Acceptances of terms are never deleted."),
            forbid_update_of(
                "partners_formversion",
                (
                    "program_id",
                    "number",
                    "definition",
                    "is_standard",
                    "published_at",
                    "published_by_id",
                    "sha256",
                ),
                when="OLD.published_at IS NOT NULL",
                message="A published form cannot be changed: publish a new version.",
            ),
            refuse_when(
                "partners_formversion_keep",
                "partners_formversion",
                before="DELETE",
                when="OLD.published_at IS NOT NULL",
                message="A published form is never deleted.",
            ),
            forbid_update_of(
                "partners_amendment",
                ("membership_id", "number", "title", "text", "effective_on", "proposed_at", "sha256"),
                when="OLD.proposed_at IS NOT NULL",
                message="An amendment that was proposed cannot be changed: propose a new one.",
            ),
            refuse_when(
                "partners_amendment_keep",
                "partners_amendment",
                before="DELETE",
                when="OLD.proposed_at IS NOT NULL",
                message="An amendment that was proposed is never deleted.",
            ),
            refuse_when(
                "partners_amendment_answered_once",
                "partners_amendment",
                before="UPDATE",
                when="OLD.state IN ('accepted', 'declined', 'withdrawn') AND NEW.state <> OLD.state",
                message="An amendment is answered once.",
            ),
            forbid_update_of(
                "partners_eligibilityrule",
                (
                    "program_id",
                    "decision",
                    "conditions",
                    "tier_id",
                    "reason",
                    "reapply_days",
                    "note",
                    "activated_at",
                ),
                when="OLD.activated_at IS NOT NULL",
                message="A rule in use cannot be changed: retire it and make a new one.",
            ),
            forbid_update_of(
                "partners_suspension",
                ("membership_id", "reason", "suspended_at", "suspended_by_id"),
                message="A suspension cannot be changed, only lifted.",
            ),
            forbid_delete("partners_suspension", message="Suspensions are never deleted."),
            forbid_update_of(
                "partners_ending",
                ("membership_id", "kind", "reason", "given_at", "given_by_id", "effective_at"),
                message="A notice cannot be changed: cancel it and give a new one.",
            ),
            forbid_delete("partners_ending", message="Endings are never deleted."),
            # Applications that were sent are evidence; a draft is the applicant's own and goes when it is old.
            refuse_when(
                "partners_application_keep",
                "partners_application",
                before="DELETE",
                when="OLD.submitted_at IS NOT NULL",
                message="An application that was sent is never deleted.",
            ),
            # Decided once, whoever presses at the same time and by whatever way.
            refuse_when(
                "partners_application_decided_once",
                "partners_application",
                before="UPDATE",
                when="OLD.state IN ('approved', 'rejected', 'withdrawn', 'expired') AND NEW.state <> OLD.state",
                message="An application is decided once.",
            ),
        )
    ]
