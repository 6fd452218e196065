#!/bin/sh
# Make sure that Debian packages are there: install them as root, or print the one command that would. Never fails: what is
# missing is said again by whatever needs it. PRM_NO_APT=1 keeps it from installing anything.
missing=""
for package in "$@"; do
    case "$package" in
        libpango-1.0-0 | libpangoft2-1.0-0 | libharfbuzz-subset0)
            # Asked of the loader, not of dpkg: the library may come from elsewhere.
            case "$package" in
                libpango-1.0-0) library=libpango-1.0.so.0 ;;
                libpangoft2-1.0-0) library=libpangoft2-1.0.so.0 ;;
                *) library=libharfbuzz-subset.so.0 ;;
            esac
            python3 -c "import ctypes; ctypes.CDLL('$library')" 2>/dev/null || missing="$missing $package" ;;
        postgresql)
            command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing $package" ;;
        redis-server)
            command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing="$missing $package" ;;
        chromium)
            command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing="$missing $package" ;;
        *)
            dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ "${PRM_NO_APT:-}" = "" ]; then
    echo "Installing$missing (PRM_NO_APT=1 keeps me from it) ..." >&2
    # The servers are started by our own script: Debian must not start its own on the standard ports.
    mask=""
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        mask=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' > "$mask" && chmod +x "$mask"
    fi
    log=$(mktemp)
    if { apt-get update -q && DEBIAN_FRONTEND=noninteractive $install; } > "$log" 2>&1; then
        echo "Installed$missing." >&2
    else
        tail -5 "$log" >&2
        echo "Could not install$missing; going on without." >&2
    fi
    rm -f "$log"
    [ -z "$mask" ] || rm -f "$mask"
else
    echo "Not installed:$missing. As root, run: $install" >&2
fi
exit 0
