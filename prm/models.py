"""Signs of life of the processes that have no page of their own. One row per process name, moved forward by that process only."""

from django.db import models


class Heartbeat(models.Model):
    """The last moment at which a process showed that it is alive."""

    name = models.CharField(max_length=120, unique=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="prm_heartbeat_named")]

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at:%Y-%m-%d %H:%M:%S}"
