"""The Celery app and its whole calendar. A broker message is only a doorbell: the database holds the work, and the sweeps below
find it again whenever a message is lost.
"""

import os

from celery import Celery
from celery.schedules import crontab
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prm.settings")

# The embedded default needs no server: messages live in one SQLite file.
TRANSPORT_ALIASES["sqlitefile"] = "prm.broker:Transport"

app = Celery("prm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="tasks_documents")
app.autodiscover_tasks(related_name="tasks_reconcile")
app.autodiscover_tasks(related_name="tasks_results")
app.autodiscover_tasks(related_name="tasks_tax")
app.autodiscover_tasks(related_name="tasks_review")
app.autodiscover_tasks(related_name="tasks_outreach")
app.autodiscover_tasks(related_name="tasks_plans")
app.autodiscover_tasks(related_name="tasks_tiers")
app.autodiscover_tasks(related_name="tasks_risk")
app.autodiscover_tasks(related_name="tasks_reports")
app.autodiscover_tasks(related_name="tasks_postbacks")
app.conf.beat_schedule = {
    "heartbeat": {"task": "prm.heartbeat", "schedule": 30.0, "options": {"expires": 60}},
    "mail sweep": {"task": "mail.sweep", "schedule": 30.0, "options": {"expires": 60}},
    "runs sweep": {"task": "runs.sweep", "schedule": 30.0, "options": {"expires": 60}},
    "partners sweep": {"task": "partners.sweep", "schedule": 60.0, "options": {"expires": 120}},
    "terms to accept": {
        "task": "partners.keep_terms",
        "schedule": crontab(minute="13"),
        "options": {"expires": 3000},
    },
    "applications nobody saw to": {
        "task": "partners.sweep_applications",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "prospects who applied or joined": {
        "task": "partners.follow_prospects",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 500},
    },
    "invitations nobody answered": {
        "task": "partners.sweep_invitations",
        "schedule": crontab(minute="29"),
        "options": {"expires": 3000},
    },
    "points nobody wrote": {
        "task": "referrals.sweep_points",
        "schedule": crontab(minute="47"),
        "options": {"expires": 3000},
    },
    "tier figures of the night": {
        "task": "partners.snapshot_tiers",
        "schedule": crontab(hour="2", minute="17"),
        "options": {"expires": 3600},
    },
    "tier reviews that are due": {
        "task": "partners.review_tiers",
        "schedule": crontab(minute="19"),
        "options": {"expires": 3000},
    },
    "tiers of those in grace": {
        "task": "partners.look_again_at_tiers",
        "schedule": crontab(hour="1", minute="47"),
        "options": {"expires": 3600},
    },
    "tier decisions that take effect": {
        "task": "partners.apply_tier_decisions",
        "schedule": crontab(minute="37"),
        "options": {"expires": 3000},
    },
    "credentials that end soon": {
        "task": "partners.keep_credentials",
        "schedule": crontab(hour="5", minute="43"),
        "options": {"expires": 3600},
    },
    "business plans and their checkpoints": {
        "task": "partners.sweep_business_plans",
        "schedule": crontab(minute="37"),
        "options": {"expires": 3000},
    },
    "clicks that wait": {"task": "referrals.drain_clicks", "schedule": 2.0, "options": {"expires": 4}},
    "addresses to forget": {
        "task": "referrals.purge_addresses",
        "schedule": crontab(hour="0", minute="11"),
        "options": {"expires": 3600},
    },
    "referrals sweep": {"task": "referrals.sweep", "schedule": 60.0, "options": {"expires": 120}},
    "calls to partners' servers": {
        "task": "payouts.send_postbacks",
        "schedule": 20.0,
        "options": {"expires": 60},
    },
    "calls nobody has written": {
        "task": "payouts.sweep_postbacks",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "accrual sweep": {"task": "payouts.sweep_accruals", "schedule": 30.0, "options": {"expires": 60}},
    "release of held commission": {
        "task": "payouts.release_due",
        "schedule": crontab(minute="7"),
        "options": {"expires": 3000},
    },
    "corrected credits": {
        "task": "payouts.reconcile_corrected",
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 600},
    },
    "days to count again": {"task": "payouts.count_days", "schedule": 15.0, "options": {"expires": 15}},
    "days nobody marked": {
        "task": "payouts.mark_recent_days",
        "schedule": crontab(minute="53"),
        "options": {"expires": 3000},
    },
    "what looks wrong": {
        "task": "payouts.watch_risk",
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 600},
    },
    "tax forms that end soon": {
        "task": "payouts.remind_of_tax_forms",
        "schedule": crontab(hour="6", minute="41"),
        "options": {"expires": 3600},
    },
    "what other tiers would earn": {
        "task": "payouts.refresh_outlooks",
        "schedule": crontab(hour="4", minute="37"),
        "options": {"expires": 3600},
    },
    "self-check of commissions": {
        "task": "payouts.self_check",
        "schedule": crontab(hour="3", minute="23"),
        "options": {"expires": 3600},
    },
    "forget what callers were answered": {
        "task": "accounts.forget_answers",
        "schedule": crontab(hour="2", minute="41"),
        "options": {"expires": 3600},
    },
}
if not app.conf.broker_url.startswith(("redis", "unix")):
    del app.conf.beat_schedule["clicks that wait"]  # without Redis they are written at once
