"""schemathesis finds nothing: no 5xx, no answer that the OpenAPI document does not know, no wrong request let in.

Short and with a fixed seed; `make fuzz-api` is the long form.
"""

from pathlib import Path

import pytest
from api_fuzz import UNLIMITED, Filled, fill, fuzz
from http_town import Town, town

from gateway.rates import Gate

FIXED = ("--seed", "20261130", "--generation-database", "none", "--continue-on-failure")
EVERY_LIMIT = ("--phases", "examples,coverage")  # each limit of each schema from both sides: without chance
DRAWN = ("--phases", "fuzzing", "-n", "2")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with town(tmp_path_factory.mktemp("town"), gate=Gate(UNLIMITED)) as made:
        yield made


@pytest.fixture(scope="module")
def filled(here: Town) -> Filled:
    return fill(here)


@pytest.mark.parametrize(("role", "options"), [("courier", DRAWN), ("merchant", DRAWN), ("operator", EVERY_LIMIT)])
def test_the_api_keeps_its_contract_with_every_role(
    here: Town, filled: Filled, tmp_path: Path, role: str, options: tuple[str, ...]
) -> None:
    run = fuzz(here, filled, role, tmp_path, (*FIXED, *options))
    assert run.returncode == 0, run.stdout + run.stderr
    paths = here.with_secret(None).get("/openapi.json").json()["paths"]
    total = sum(len(methods) for methods in paths.values())
    assert f"{total - 1} selected / {total} total" in run.stdout, "only one is left out"
