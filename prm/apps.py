"""Start the project. Celery and the cross-app reactions are bound here, so that importing `prm` alone costs and knows nothing."""

import importlib
import importlib.util

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PrmConfig(AppConfig):
    name = "prm"
    label = "prm"
    verbose_name = "Partner relationship management"

    def ready(self) -> None:
        """Bind Celery and the reactions between the apps."""
        importlib.import_module("prm.celery")
        importlib.import_module("prm.wiring")


class BackOfficeConfig(AdminConfig):
    """The stock admin with our site: it is named by its path, so that no app below has to know it."""

    default_site = "prm.admin_site.site.BackOffice"
