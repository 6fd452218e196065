"""What the image and the compose file promise to whoever runs this in production, read from the files themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.architecture.house import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_parts_of_a_production_are_all_there() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "migrate", "postgres", "redis-broker", "redis-cache"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_runs_as_root_or_can_become_it(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in ("root", "0", "0:0")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_can_write_into_its_own_image(name: str) -> None:
    assert SERVICES[name]["read_only"] is True


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_is_asked_how_it_is(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_the_schema_is_migrated_once_before_anything_starts() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_broker_and_cache_are_two_servers_and_only_the_cache_forgets() -> None:
    broker, cache = SERVICES["redis-broker"]["command"], SERVICES["redis-cache"]["command"]
    assert broker[broker.index("--maxmemory-policy") + 1] == "noeviction"
    assert broker[broker.index("--appendonly") + 1] == "yes"
    assert cache[cache.index("--maxmemory-policy") + 1] == "allkeys-lru"
    example = (ROOT / ".env.example").read_text()
    assert re.search(r"^REDIS_URL=redis://redis-broker:", example, re.MULTILINE)
    assert re.search(r"^CACHE_URL=redis://redis-cache:", example, re.MULTILINE)


def test_there_is_one_beat_and_it_is_not_inside_a_worker() -> None:
    assert "beat" in SERVICES["beat"]["command"]
    assert not {"-B", "--beat"} & set(SERVICES["worker"]["command"])
    assert "deploy" not in SERVICES["beat"]


def test_only_the_web_server_listens_and_only_on_this_machine() -> None:
    assert {name for name, service in SERVICES.items() if service.get("ports")} == {"web"}
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_no_secret_stands_in_the_compose_file() -> None:
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert all(SERVICES[name]["env_file"] == ".env" for name in ("web", "worker", "beat", "migrate"))


def test_the_image_ends_as_an_unprivileged_user_without_build_tools() -> None:
    last = DOCKERFILE.split("FROM base")[-1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "pip" not in last
    assert "gcc" not in DOCKERFILE


def test_the_image_installs_the_locked_versions_only() -> None:
    install = next(line for line in DOCKERFILE.splitlines() if "pip --python" in line)
    assert {"--require-hashes", "--no-deps", "/build/base.lock"} <= set(install.split())


def test_whatever_a_worker_does_fits_into_the_time_it_is_given_to_stop() -> None:
    assert SERVICES["worker"]["stop_grace_period"] == "60s"
