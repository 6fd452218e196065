"""The door for WSGI servers. Wrong settings end the process here with one sentence and exit code 2."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prm.settings")

application = get_wsgi_application()
