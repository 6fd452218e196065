"""What the partners app and the accounts keep about a person and about a partner, table by table, and which tables are left out of the
archive for which reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Q

from partners import models, personal_sections_tiers
from partners.personal_data import Row, Subject, learn_files, learn_section, partners_of, rows
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from prm.runs.models import Run

_DEEDS = "Names who of our staff did something; what a person did is in their own “deeds”."

# Every table with a person, a partner, a membership or an application in it that is in no section, and why.
LEFT_OUT: dict[str, str] = {
    "admin.logentry": _DEEDS,
    "accounts.apikey": _DEEDS,
    "tiers.planversion": _DEEDS,
    "partners.formversion": _DEEDS,
    "partners.eligibilityrule": _DEEDS,
    "partners.blocked": _DEEDS,
    "partners.workload": _DEEDS,
    "partners.termsversion": _DEEDS,
    "partners.programresource": _DEEDS,
    "partners.onboardingstep": _DEEDS,
    "referrals.inlet": _DEEDS,
    "referrals.importmapping": _DEEDS,
    "partners.reviewround": _DEEDS,
    "tiers.tier": _DEEDS,
    "tiers.tierscheme": _DEEDS,
    "referrals.attributionversion": _DEEDS,
    "partners.certification": _DEEDS,
    "partners.course": _DEEDS,
    "partners.metricsnapshot": "Measured anew each night from rows that are in the archive.",
    "payouts.dailytotal": "Sums by day, counted again from clicks, credits and lines at any time; they name nobody who buys.",
    "referrals.attributionrecord": "Weighs contacts of several partners; one's own contacts and credits are in the archive.",
    "payouts.tieroutlook": "Computed anew each day from commission lines, which are in the archive.",
}


def learn() -> None:
    """Name the sections of this app and of those below it."""
    for name, read, covers in (
        ("account", _account, ["accounts.user"]),
        ("account-addresses", _addresses, ["account.emailaddress"]),
        ("account-second-factors", _factors, ["mfa.authenticator"]),
        ("account-sessions", _sessions, ["usersessions.usersession"]),
        ("deeds", _deeds, ["audit.auditevent"]),
        ("jobs-started", _jobs, ["runs.run"]),
        ("mails-received", _mails, ["mail.outgoingmail"]),
        ("teams", _teams, ["partners.member"]),
        ("applications", _applications, ["partners.application"]),
        ("application-messages", _messages, ["partners.applicationmessage"]),
        ("application-files", _application_files, ["partners.applicationfile"]),
        ("references", _references, ["partners.reference"]),
        ("invitations", _invitations, ["partners.invitation"]),
        ("invitations-into-programs", _program_invitations, ["partners.programinvitation"]),
        ("counter-proposals", _counters, ["partners.counterproposal"]),
        ("prospect", _prospects, ["partners.prospect"]),
        ("prospect-touches", _touches, ["partners.prospecttouch"]),
        ("waiting-lists", _waiting, ["partners.waitingmailbox"]),
        ("terms-accepted", _acceptances, ["partners.acceptance"]),
        ("terms-questions", _clauses, ["partners.clausequestion"]),
        ("partner-profile", _profile, ["partners.partner"]),
        ("partner-team", _team, ["partners.member"]),
        ("partner-memberships", _memberships, ["partners.membership"]),
        ("partner-tiers", _placements, ["partners.placement"]),
        ("partner-tier-reviews", personal_sections_tiers.tier_reviews, ["partners.tierreview"]),
        ("partner-tier-appeals", personal_sections_tiers.appeals, ["partners.appeal"]),
        ("partner-tiers-by-hand", personal_sections_tiers.overrides, ["partners.tieroverride"]),
        ("partner-suspensions", _suspensions, ["partners.suspension"]),
        ("partner-endings", _endings, ["partners.ending"]),
        ("partner-amendments", _amendments, ["partners.amendment"]),
        ("partner-recruiting-links", _recruiting, ["partners.recruitinglink"]),
        ("partner-introductions", _introductions, ["partners.introduction"]),
        ("partner-onboarding", _marks, ["partners.onboardingmark"]),
        ("partner-terms-notices", _notices, ["partners.termsnotice"]),
    ):
        learn_section(name, read, covers=covers)
    learn_files(_files)


def applications_of(subject: Subject) -> Any:
    """Return the applications of the person's mailbox and those that made the partners' memberships."""
    mine = Q(email_folded=subject.mailbox) if subject.mailbox else Q(pk=None)
    return models.Application.objects.filter(mine | Q(membership__partner__in=subject.partners))


def _account(subject: Subject) -> Iterator[Row]:
    return rows(
        User.objects.filter(pk=_pk(subject)),
        id="public_id",
        email="email",
        full_name="full_name",
        language="language",
        time_zone="time_zone",
        joined_at="joined_at",
        last_sign_in="last_login",
        active="is_active",
        staff="is_staff",
    )


def _addresses(subject: Subject) -> Iterator[Row]:
    found = EmailAddress.objects.filter(user=_pk(subject))
    return rows(found, email="email", verified="verified", primary="primary")


def _factors(subject: Subject) -> Iterator[Row]:
    found = Authenticator.objects.filter(user=_pk(subject))
    return rows(found, kind="type", added_at="created_at", last_used_at="last_used_at")


def _sessions(subject: Subject) -> Iterator[Row]:
    found = UserSession.objects.filter(user=_pk(subject))
    return rows(
        found, address="ip", browser="user_agent", signed_in_at="created_at", last_seen_at="last_seen_at"
    )


def _deeds(subject: Subject) -> Iterator[Row]:
    found = AuditEvent.objects.filter(actor=_pk(subject))
    return rows(found, at="at", action="action", what="object_type", id="object_public_id", note="note")


def _jobs(subject: Subject) -> Iterator[Row]:
    found = Run.objects.filter(created_by=_pk(subject))
    return rows(found, kind="kind", title="title", state="state", created_at="created_at")


def _mails(subject: Subject) -> Iterator[Row]:
    to = subject.user.email if subject.user else subject.mailbox
    found = OutgoingMail.objects.filter(to__iexact=to) if to else OutgoingMail.objects.none()
    return rows(found, kind="kind", to="to", subject="subject", text="text", sent_at="sent_at")


def _teams(subject: Subject) -> Iterator[Row]:
    found = models.Member.objects.filter(user=_pk(subject))
    return rows(
        found,
        id="public_id",
        partner="partner__name",
        role="role",
        joined_at="joined_at",
        ended_at="ended_at",
    )


def _applications(subject: Subject) -> Iterator[Row]:
    same = (
        "state partnership_type full_name email phone company website street postcode town country vat_number "
        "channels answers audience how_promote language source address created_at submitted_at "
        "email_confirmed_at decided_at rejection_reason reapply_on decision_note"
    )
    columns = {"id": "public_id", "program": "program__name", **{name: name for name in same.split()}}
    return rows(applications_of(subject), **columns)


def _messages(subject: Subject) -> Iterator[Row]:
    found = models.ApplicationMessage.objects.filter(application__in=applications_of(subject))
    return rows(found, application="application__public_id", written_at="written_at", text="text")


def _application_files(subject: Subject) -> Iterator[Row]:
    found = models.ApplicationFile.objects.filter(application__in=applications_of(subject))
    return rows(
        found,
        application="application__public_id",
        name="name",
        bytes="size",
        sha256="sha256",
        added_at="added_at",
    )


def _references(subject: Subject) -> Iterator[Row]:
    named = Q(application__in=applications_of(subject)) | Q(email__iexact=subject.mailbox or "-")
    return rows(
        models.Reference.objects.filter(named),
        application="application__public_id",
        full_name="full_name",
        company="company",
        email="email",
        relation="relation",
        asked_at="asked_at",
        answer="answer",
        answered_at="answered_at",
        comment="comment",
    )


def _invitations(subject: Subject) -> Iterator[Row]:
    found = models.Invitation.objects.filter(_mailbox(subject) | Q(partner__in=subject.partners))
    return rows(
        found,
        partner="partner__name",
        email="email",
        full_name="full_name",
        role="role",
        invited_at="invited_at",
        accepted_at="accepted_at",
        withdrawn_at="withdrawn_at",
    )


def _program_invitations(subject: Subject) -> Iterator[Row]:
    mine = _mailbox(subject) | Q(membership__partner__in=subject.partners)
    return rows(
        models.ProgramInvitation.objects.filter(mine),
        program="program__name",
        email="email",
        full_name="full_name",
        company="company",
        message="message",
        addendum="addendum",
        state="state",
        invited_at="invited_at",
        answered_at="answered_at",
    )


def _counters(subject: Subject) -> Iterator[Row]:
    mine = Q(made_by=_pk(subject)) | Q(membership__partner__in=subject.partners)
    found = models.CounterProposal.objects.filter(mine)
    return rows(found, text="text", made_at="made_at", answer="answer", answered_at="answered_at")


def _prospects(subject: Subject) -> Iterator[Row]:
    same = "full_name company email phone website country language stage source source_note notes created_at"
    mine = _mailbox(subject) | Q(membership__partner__in=subject.partners)
    return rows(models.Prospect.objects.filter(mine), **{name: name for name in same.split()})


def _touches(subject: Subject) -> Iterator[Row]:
    found = models.ProspectTouch.objects.filter(
        prospect__in=models.Prospect.objects.filter(_mailbox(subject))
    )
    return rows(found, kind="kind", text="text", touched_at="touched_at")


def _waiting(subject: Subject) -> Iterator[Row]:
    found = models.WaitingMailbox.objects.filter(_mailbox(subject))
    return rows(found, program="program__name", email="email", asked_at="asked_at", told_at="told_at")


def _acceptances(subject: Subject) -> Iterator[Row]:
    mine = Q(person=_pk(subject)) | Q(membership__partner__in=subject.partners)
    if subject.mailbox:
        mine |= Q(accepted_email__iexact=subject.mailbox)
    return rows(
        models.Acceptance.objects.filter(mine),
        program="terms_version__program__name",
        version="terms_version__number",
        text_sha256="text_sha256",
        name="accepted_name",
        email="accepted_email",
        address="address",
        accepted_at="accepted_at",
    )


def _clauses(subject: Subject) -> Iterator[Row]:
    mine = Q(asked_by=_pk(subject)) | Q(membership__partner__in=subject.partners)
    mine |= Q(application__in=applications_of(subject))
    found = models.ClauseQuestion.objects.filter(mine)
    return rows(found, section="section", text="text", asked_at="asked_at", answer="answer")


def _profile(subject: Subject) -> Iterator[Row]:
    same = (
        "name legal_name legal_form website email phone street building_number postcode town region country "
        "vat_number language languages specialities created_at"
    )
    return rows(partners_of(subject), id="public_id", **{name: name for name in same.split()})


def _team(subject: Subject) -> Iterator[Row]:
    found = models.Member.objects.filter(partner__in=subject.partners)
    return rows(found, person="user__full_name", role="role", joined_at="joined_at", ended_at="ended_at")


def _memberships(subject: Subject) -> Iterator[Row]:
    return rows(
        models.Membership.objects.filter(partner__in=subject.partners),
        id="public_id",
        partner="partner__public_id",
        program="program__name",
        state="state",
        tags="tags",
        recruited_by="recruiter__public_id",
        joined_at="joined_at",
        ended_at="ended_at",
    )


def _placements(subject: Subject) -> Iterator[Row]:
    found = models.Placement.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found,
        membership="membership__public_id",
        tier="tier__name",
        starts_at="starts_at",
        ends_at="ends_at",
        because="because",
    )


def _suspensions(subject: Subject) -> Iterator[Row]:
    found = models.Suspension.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found,
        membership="membership__public_id",
        reason="reason",
        note="note",
        suspended_at="suspended_at",
        lifted_at="lifted_at",
    )


def _endings(subject: Subject) -> Iterator[Row]:
    found = models.Ending.objects.filter(membership__partner__in=subject.partners)
    same = "kind reason note given_at effective_at cancelled_at done_at"
    return rows(found, membership="membership__public_id", **{name: name for name in same.split()})


def _amendments(subject: Subject) -> Iterator[Row]:
    found = models.Amendment.objects.filter(
        membership__partner__in=subject.partners, proposed_at__isnull=False
    )
    same = "number title text state effective_on proposed_at answered_at answer_note address sha256"
    return rows(found, membership="membership__public_id", **{name: name for name in same.split()})


def _recruiting(subject: Subject) -> Iterator[Row]:
    found = models.RecruitingLink.objects.filter(membership__partner__in=subject.partners)
    return rows(
        found, program="program__name", key="key", name="name", channel="channel", made_at="created_at"
    )


def _introductions(subject: Subject) -> Iterator[Row]:
    mine = Q(first__in=subject.partners) | Q(second__in=subject.partners)
    found = models.Introduction.objects.filter(mine)
    return rows(found, first="first__name", second="second__name", reason="reason", state="state")


def _marks(subject: Subject) -> Iterator[Row]:
    found = models.OnboardingMark.objects.filter(membership__partner__in=subject.partners)
    return rows(found, membership="membership__public_id", step="step__kind", done_at="done_at")


def _notices(subject: Subject) -> Iterator[Row]:
    found = models.TermsNotice.objects.filter(membership__partner__in=subject.partners)
    return rows(found, membership="membership__public_id", version="terms_version__number", told_at="told_at")


def _files(subject: Subject) -> Iterator[tuple[str, IO[bytes]]]:
    found = models.ApplicationFile.objects.filter(application__in=applications_of(subject)).order_by("pk")
    for given in found.iterator(chunk_size=100):
        if given.file.name and given.file.storage.exists(given.file.name):
            yield f"{given.public_id}-{_safe(given.name)}", given.file.open("rb")


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)


def _mailbox(subject: Subject) -> Q:
    return Q(email_folded=subject.mailbox) if subject.mailbox else Q(pk=None)


def _pk(subject: Subject) -> int:
    return subject.user.pk if subject.user is not None else 0
