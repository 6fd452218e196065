"""Remarks about business plans and their figures at the end; what was agreed and what was said can no longer change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from prm.lib.db import forbid_delete, forbid_update_of, refuse_when, triggers

_GOAL, _REMARK = "partners_goal", "partners_planremark"
_AGREED = "EXISTS (SELECT 1 FROM partners_businessplan AS plan WHERE plan.id = OLD.plan_id AND plan.agreed_at IS NOT NULL)"
_FACTS = ("plan_id", "metric", "target", "due_on")


def _differs(operator: str) -> str:
    return " OR ".join(f"OLD.{name} {operator} NEW.{name}" for name in _FACTS)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("partners", "0011_rounds_of_learning"),
    ]

    operations = [
        migrations.AddField(
            model_name="businessplan",
            name="figures",
            field=models.JSONField(blank=True, null=True, verbose_name="figures at the end"),
        ),
        migrations.CreateModel(
            name="PlanRemark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField(max_length=4000, verbose_name="remark")),
                (
                    "targets",
                    models.JSONField(blank=True, default=list, verbose_name="targets proposed instead"),
                ),
                ("said_at", models.DateTimeField(verbose_name="written")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remarks",
                        to="partners.businessplan",
                    ),
                ),
                (
                    "said_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "remark about a plan",
                "verbose_name_plural": "remarks about plans",
                "constraints": [
                    models.CheckConstraint(
                        condition=~models.Q(text=""), name="partners_planremark_says_something"
                    )
                ],
            },
        ),
        triggers(
            refuse_when(
                "partners_goal_agreed",
                _GOAL,
                before="UPDATE",
                when=f"({_differs('IS DISTINCT FROM')}) AND {_AGREED}",
                sqlite_when=f"({_differs('IS NOT')}) AND {_AGREED}",
                message="A target that was agreed is not written over: propose a changed one.",
            ),
            refuse_when(
                "partners_goal_agreed_stays",
                _GOAL,
                before="DELETE",
                when=_AGREED,
                message="A target that was agreed stays.",
            ),
            forbid_update_of(
                _REMARK,
                ["plan_id", "targets", "said_at", "said_by_id"],
                message="A remark about a plan cannot change: write another one.",
            ),
            forbid_delete(_REMARK, message="Remarks about plans are never deleted."),
        ),
    ]
