"""The settings of the test run: the product's own, in a folder of their own that is removed at the end. Only what would make tests
slow, or let them touch a developer's files, differs.
"""

import atexit
import os
import shutil
import tempfile

if "PRM_TEST_FOLDER" not in os.environ:
    _folder = tempfile.mkdtemp(prefix="prm-test-")
    _owner = os.getpid()
    # A forked child ends too, but the folder is its parent's.
    atexit.register(lambda: shutil.rmtree(_folder, ignore_errors=True) if os.getpid() == _owner else None)
    os.environ["PRM_TEST_FOLDER"] = _folder

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and not os.environ["PRM_TEST_FOLDER"].endswith(f"/{_worker}"):
    # Tests on several cores share nothing: a folder and two databases of Redis (broker and cache) each. Processes that a test
    # starts inherit both.
    os.environ["PRM_TEST_FOLDER"] += f"/{_worker}"
    if os.environ.get("REDIS_URL", "").endswith("/0"):
        _mine = 2 * int(_worker.removeprefix("gw"))
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].removesuffix('/0')}/{_mine}"

os.environ.update(PRM_VAR=os.environ["PRM_TEST_FOLDER"], PRM_DOTENV="off", SITE_URL="http://testserver")
for _name in (
    "EMAIL_URL",
    "PRM_STATIC_ROOT",
    "PRM_MEDIA_ROOT",
    "DEBUG",
    "PRM_ALLOWED_HOSTS",
    "PRM_STAFF_MFA",
    "PRM_LINK_HOSTS",
    "PRM_COUNTRY_HEADER",
):
    os.environ.pop(_name, None)
# The services tool gives these to a production-like run; on PostgreSQL the settings insist on both.
os.environ.setdefault("SECRET_KEY", "tests-only-" + "k" * 40)
os.environ.setdefault("PRM_FIELD_KEYS", "k1:" + "A" * 43 + "=")
os.environ["EMAIL_URL"] = "consolemail://"

from prm.settings import *  # noqa: E402, F403
from prm.settings import DATABASES, EMBEDDED, STORAGES, VAR  # noqa: E402

(VAR / "static").mkdir(parents=True, exist_ok=True)  # nothing is collected in a test run
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A test reads what it has done; those about the stream ask for it, and so do the processes that they start.
CLICK_STREAM = os.environ.get("REDIS_URL", "") if "PRM_TEST_STREAM" in os.environ else ""
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
if EMBEDDED:
    # A file, because threads and worker processes must see the same database.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
