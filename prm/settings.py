"""All settings, read top to bottom. Without any variable set the embedded default runs: SQLite, a file broker, generated keys in
`var/`; with DATABASE_URL on PostgreSQL it is a production and must be told its address and its secrets.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from prm import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_dotenv(BASE_DIR / ".env")

# Where it lives ------------------------------------------------------------------------------------------------------------

VAR = env.path("PRM_VAR", BASE_DIR / "var")
DEBUG = env.flag("DEBUG", default=False)

_database = env.database("DATABASE_URL")
EMBEDDED = not _database or "sqlite" in _database["ENGINE"]
_because = "when DATABASE_URL names a PostgreSQL server"

SITE_URL = env.origin("SITE_URL", "http://127.0.0.1:8000" if EMBEDDED else "")
env.required("SITE_URL", SITE_URL, _because)
IS_HTTPS = SITE_URL.startswith("https://")
_host = urlsplit(SITE_URL).hostname or ""
LINK_HOSTS = env.link_hosts("PRM_LINK_HOSTS", own=_host)  # they serve tracked links and nothing else
_named = {_host, *env.names("PRM_ALLOWED_HOSTS"), *LINK_HOSTS}
ALLOWED_HOSTS = sorted({*_named, *(("localhost", "127.0.0.1", "[::1]") if EMBEDDED else ())})
if "*" in ALLOWED_HOSTS:
    env.refuse("PRM_ALLOWED_HOSTS must name hosts; * would let strangers choose the address in our links.")

# Secrets -------------------------------------------------------------------------------------------------------------------

SECRET_KEY = env.secret("SECRET_KEY")
PRM_FIELD_KEYS_TEXT = env.secret("PRM_FIELD_KEYS")
if EMBEDDED:
    SECRET_KEY = SECRET_KEY or env.kept(VAR / "secret_key", env.new_secret)
    PRM_FIELD_KEYS_TEXT = PRM_FIELD_KEYS_TEXT or env.kept(VAR / "field_keys", env.new_key_ring)
env.required("SECRET_KEY (or SECRET_KEY_FILE)", SECRET_KEY, _because)
env.required("PRM_FIELD_KEYS (or PRM_FIELD_KEYS_FILE)", PRM_FIELD_KEYS_TEXT, _because)
if len(SECRET_KEY) < 32:
    env.refuse("SECRET_KEY must be at least 32 characters long.")
SECRET_KEY_FALLBACKS = [key for key in env.secret("SECRET_KEY_FALLBACKS").split(",") if key]
# Keys for encryption at rest, the current one first: {"k2": base64, "k1": base64}.
PRM_FIELD_KEYS = env.key_ring("PRM_FIELD_KEYS", PRM_FIELD_KEYS_TEXT)

# What it is made of --------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "prm.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "prm.apps.PrmConfig",
    "prm.accounts",
    "prm.audit",
    "prm.mail",
    "prm.runs",
    "tiers",
    "partners",
    "referrals",
    "payouts",
    "portal",
    "demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "prm.audit.middleware.RequestIdMiddleware",
    "prm.middleware.RefuseControlCharactersMiddleware",
    "prm.middleware.ResourcePolicyMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "prm.accounts.middleware.SessionLimitMiddleware",
    "prm.accounts.middleware.StaffMfaMiddleware",
]

ROOT_URLCONF = "prm.urls"
WSGI_APPLICATION = "prm.wsgi.application"
ASGI_APPLICATION = "prm.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Own widget templates are found like any other, so that a form needs no inline style.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.brand",
            ],
        },
    },
]
INSTALLED_APPS.insert(0, "django.forms")

# Database ------------------------------------------------------------------------------------------------------------------

_sqlite = {
    # IMMEDIATE takes the write lock at BEGIN, so a transaction that has read never fails with "database is locked".
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000; PRAGMA temp_store=MEMORY;"
        # Without it INSERT OR REPLACE would slip past the triggers that keep the ledger append-only.
        " PRAGMA recursive_triggers=ON;"
    ),
}
_postgresql = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=300000 -c lock_timeout=30000 -c idle_in_transaction_session_timeout=300000",
}
if EMBEDDED:
    _database = _database or {"ENGINE": "django.db.backends.sqlite3", "NAME": str(VAR / "prm.sqlite3")}
    _database["OPTIONS"] = _sqlite
else:
    _database["OPTIONS"] = {**_postgresql, **_database.get("OPTIONS", {})}
    _database["CONN_MAX_AGE"] = env.number("PRM_DATABASE_SECONDS", default=60)
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES: dict[str, dict[str, Any]] = {"default": _database}

# Broker and cache ----------------------------------------------------------------------------------------------------------

REDIS_URL = env.url("REDIS_URL", schemes=("redis", "rediss", "unix"), host=False)
CLICK_STREAM = REDIS_URL  # where clicks wait to be written; without it they are written at once
CACHE_URL = env.url("CACHE_URL", schemes=("redis", "rediss", "unix"), host=False)
CACHES: dict[str, dict[str, Any]] = {
    # Valid because the embedded web server is one process; nothing that counts is ever kept only here.
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CELERY_BROKER_URL = "sqlitefile://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "path": str(VAR / "broker.sqlite3"),
    "polling_interval": 0.1,
}
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    # Unacknowledged work of a killed worker comes back within seconds after the visibility timeout, not minutes.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
    # A request must not wait for an absent broker: the sweep finds the work later.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_connect_timeout": 3, "socket_timeout": 10}
if CACHE_URL or REDIS_URL:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL or env.next_redis_database(REDIS_URL),
    }
CELERY_VISIBILITY_TIMEOUT = 3600
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "prm.heartbeat:Scheduler"
CELERY_TIMEZONE = "UTC"

# Sign-in (allauth) ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
PRM_STAFF_MFA = env.flag("PRM_STAFF_MFA", default=True)
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
PRM_BRAND_NAME = env.text("PRM_BRAND_NAME", "Halden")
ACCOUNT_ADAPTER = "prm.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "prm.accounts.forms.InvitedSignupForm"}
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# Codes, not links: nothing secret in an address, nothing a mail scanner can click.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # the others end: a session is bound to the hash of the password
ACCOUNT_RATE_LIMITS = {"request_login_code": "20/m/ip,3/m/key", "reset_password": "20/m/ip,3/m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("PRM_PROXIES", default=0, maximum=10)
MFA_ADAPTER = "prm.accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = PRM_BRAND_NAME
# Browsers offer passkeys on plain http only at localhost; the embedded default is tried out there.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
COUNTRY_HEADER = env.text("PRM_COUNTRY_HEADER")  # set by a proxy that knows where addresses are
ADDRESS_DAYS = env.number("PRM_ADDRESS_DAYS", default=30, minimum=1, maximum=400)
SELF_CHECK_MEMBERSHIPS = env.number("PRM_SELF_CHECK", default=2000)  # in a night; the nights take turns
PRM_IDLE_MINUTES = env.number("PRM_IDLE_MINUTES", default=120)
PRM_STAFF_IDLE_MINUTES = env.number("PRM_STAFF_IDLE_MINUTES", default=30)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/portal/"
LOGOUT_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "/"

# Browsers ------------------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SESSION_COOKIE_NAME = "__Host-sid" if IS_HTTPS else "sid"
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = IS_HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = IS_HTTPS and env.flag("PRM_REDIRECT_TO_HTTPS", default=True)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Only for a site behind a proxy that always sets or removes this header itself.
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("PRM_BEHIND_PROXY", default=False) else None
)
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# Languages and time --------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("pl", _("Polish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "prm.formats"
TIME_ZONE = "UTC"

# Files ---------------------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = env.path("PRM_STATIC_ROOT", VAR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
# Partners' files are private: they are served by views that ask who is asking, never by address.
MEDIA_ROOT = env.path("PRM_MEDIA_ROOT", VAR / "media")
MEDIA_URL = ""
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Packing takes longer than the whole first start of the embedded default, and saves nothing on one's own machine.
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# E-mail --------------------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.text("PRM_MAIL_FROM", f"Partner program <partners@{_host}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(VAR / "mail")
_email = env.email("EMAIL_URL")
if _email:
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST") or "localhost", _email.get("EMAIL_PORT") or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = (
        _email.get("EMAIL_HOST_USER") or "",
        _email.get("EMAIL_HOST_PASSWORD") or "",
    )
    EMAIL_USE_TLS, EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_TLS")), bool(_email.get("EMAIL_USE_SSL"))
elif not EMBEDDED:
    env.refuse(
        f"EMAIL_URL must be set {_because}; use consolemail:// to print mails instead of sending them."
    )

# API -----------------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["prm.accounts.api_auth.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["prm.lib.api.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["prm.accounts.api_limits.KeyRate"],
    "EXCEPTION_HANDLER": "prm.lib.api.problem",
    "NUM_PROXIES": env.number("PRM_PROXIES", default=0, maximum=10),
}
PRM_API_CALLS_PER_MINUTE = env.number("PRM_API_CALLS_PER_MINUTE", default=600, minimum=1)  # without its own
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Partner relationship management",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "EventKind": "tiers.choices.EventKind",
        "TouchKind": "referrals.choices.TouchKind",
        "LineKind": "payouts.choices.CommissionKind",
    },
}

# Logs ----------------------------------------------------------------------------------------------------------------------

_log_format = env.choice("PRM_LOG_FORMAT", ("text", "json"), default="text" if EMBEDDED else "json")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"text": {"()": "prm.logs.TextFormatter"}, "json": {"()": "prm.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": _log_format}},
    "root": {
        "handlers": ["console"],
        "level": env.choice("PRM_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"),
    },
    # Django adds its own handlers to these two; one line per event is enough.
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
    },
}
