"""What the database refuses in the partners app: changing published terms, changing or deleting an acceptance of them, and changing
who recruited a membership once that is named."""

from django.db import migrations

from prm.lib.db import forbid_delete, forbid_update_of, refuse_when, triggers

_TERMS, _ACCEPTANCE = "partners_termsversion", "partners_acceptance"
_MEMBERSHIP = "partners_membership"


class Migration(migrations.Migration):
    dependencies = [("partners", "0001_initial")]

    operations = [
        triggers(
            forbid_update_of(
                _TERMS,
                (
                    "program_id",
                    "number",
                    "summary",
                    "pricing",
                    "what_counts",
                    "how_measured",
                    "support",
                    "effective_at",
                    "published_at",
                    "published_by_id",
                    "sha256",
                ),
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
                (
                    "terms_version_id",
                    "application_id",
                    "accepted_name",
                    "accepted_email",
                    "accepted_at",
                    "address",
                    "text_sha256",
                ),
                message="An acceptance of terms cannot be changed.",
            ),
            # The membership is not known yet when an applicant accepts; it is filled in once, by the approval.
            refuse_when(
                "partners_acceptance_membership_once",
                _ACCEPTANCE,
                before="UPDATE",
                when="OLD.membership_id IS NOT NULL AND NEW.membership_id IS DISTINCT FROM OLD.membership_id",
                sqlite_when="OLD.membership_id IS NOT NULL AND NEW.membership_id IS NOT OLD.membership_id",
                message="An acceptance belongs to the membership it was made for.",
            ),
            forbid_delete(_ACCEPTANCE, message="Acceptances of terms are never deleted."),
            # Overrides are booked, and rated again, by who recruited whom since when.
            forbid_update_of(
                _MEMBERSHIP,
                ("recruiter_id", "recruited_at"),
                when="OLD.recruiter_id IS NOT NULL",
                message="Who recruited a partner cannot be changed.",
            ),
        )
    ]
