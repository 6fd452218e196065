"""The door for ASGI servers. Wrong settings end the process here with one sentence and exit code 2."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prm.settings")

application = get_asgi_application()
