"""schemathesis on the OpenAPI document, against a gateway with real books and something of every kind in them.

`make fuzz-api` (SEED=N EXAMPLES=N) is the campaign; tests/gateway/test_http_schemathesis.py runs a short one.
The seed draws the same requests again; ids in the books are random, so an answer may differ where they meet.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from http_town import RECIPIENT, Town, key, open_locker, parcel_body, town

from gateway.domain import ids
from gateway.domain.people import COURIER, GATEWAY, MERCHANT, OPERATOR
from gateway.rates import Gate
from gateway.services import reports

FOLDER = Path(__file__).resolve().parent
UNLIMITED = 1_000_000
# The stream of events never ends where it is allowed; tests/gateway/test_http_streams.py reads it.
WITHOUT = "/v1/events/stream"
CONFIG = """\
hooks = {hooks}
warnings = false
request-timeout = 60

[auth.openapi.bearer]
bearer = {secret}

[checks.positive_data_acceptance]
# 422: what a schema cannot say (printable letters, fields that go together)
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "503"]

[checks.not_a_server_error]
# 503: the gateway knows that the broker cannot be reached, and says so
expected-statuses = ["2xx", "3xx", "4xx", "503"]
"""


@dataclass(frozen=True)
class Filled:
    """Who asks, and what is in the books: ids by the name of the path's parameter."""

    secrets: Mapping[str, str]
    own: Sequence[str]
    known: Mapping[str, Sequence[str]]


def fill(here: Town) -> Filled:
    """A locker of 12 with parcels in every state, of two carriers and a merchant, and what is made around them."""
    operator = open_locker(here, count=12)
    callers = {OPERATOR: operator, COURIER: here.caller(COURIER, "colibri"), MERCHANT: here.caller(MERCHANT, "fleurs")}
    rival = here.caller(COURIER, "martinet")
    made: dict[str, list[str]] = {"locker": ["mairie-1"], "number": ["1", "2", "11"]}

    def act(name: str, caller: httpx.Client, path: str, body: object = None) -> str:
        answer = caller.post(path, json=body, headers=key())
        assert answer.status_code in (200, 201, 202), (path, answer.text)
        found = answer.json().get("id", "")
        made.setdefault(name, []).append(found)
        return str(found)

    for box, (caller, carrier) in enumerate([(callers[COURIER], "colibri"), (rival, "martinet")] * 4, 1):
        body = parcel_body(
            f"L{box}", carrier=carrier, merchant="fleurs", recipient=RECIPIENT, recipient_ref=f"K-{box}"
        )
        parcel = act("parcel", caller, "/v1/parcels", body)
        if box <= 6:
            here.deposit("mairie-1", box, 1, ids.parcel_number(parcel))
            act("delegation", caller, f"/v1/parcels/{parcel}/delegations", {"name": "Anna"})
    for parcel in made["parcel"][4:6]:
        told = reports.report(here.desk, GATEWAY, ids.parcel_number(parcel), "empty", "vide")
        made.setdefault("report", []).append(told.id)
    here.collect("mairie-1", 4, 1)
    for number in (9, 10):
        act("operation", operator, f"/v1/lockers/mairie-1/compartments/{number}/open", {"reason": "fuzzed"})
    for caller, carrier in ((callers[COURIER], "colibri"), (rival, "martinet")):
        act("badge", caller, "/v1/badges", {"carrier": carrier, "holder": "staff-1"})
        act("webhook", caller, "/v1/webhooks", {"url": "https://1.1.1.1/hooks"})
    own = [row["id"] for row in operator.get("/v1/credentials").json()["data"]]
    body = {"role": "courier", "tenant": "colibri", "scopes": ["parcels:read"], "name": "spare"}
    act("credential", operator, "/v1/credentials", body)
    secrets = {role: caller.headers["authorization"].split()[1] for role, caller in callers.items()}
    return Filled(secrets, own, made)


def config(filled: Filled, role: str) -> str:
    """Half of all ids are real ones."""
    lines = [
        CONFIG.format(hooks=json.dumps(str(FOLDER / "api_fuzz_hooks.py")), secret=json.dumps(filled.secrets[role]))
    ]
    for name, values in filled.known.items():
        lines.append(f"[dictionaries.{name}]\nvalues = {json.dumps(list(values))}\n")
        lines.append(f'[parameters."path.{name}"]\ndictionary = "{name}"\nprobability = 0.5\n')
    return "\n".join(lines)


def fuzz(here: Town, filled: Filled, role: str, folder: Path, options: Sequence[str]) -> subprocess.CompletedProcess:
    """One run as `role`. `folder`: for what it writes. `options`: of `schemathesis run`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schemathesis.toml").write_text(config(filled, role), "utf-8")
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", "schemathesis.toml", "run"]
    command += [f"{here.url}/openapi.json", "--exclude-path", WITHOUT, "--no-color", *options]
    environment = {**os.environ, "FUZZ_OWN_CREDENTIALS": json.dumps(list(filled.own))}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def campaign(examples: int, seed: int, say: Callable[[str], None]) -> bool:
    """Every role in turn. True: nothing was found."""
    options = ["--seed", str(seed), "-n", str(examples), "--continue-on-failure", "--generation-database", "none"]
    good = True
    for role in (OPERATOR, COURIER, MERCHANT):
        with (
            tempfile.TemporaryDirectory(prefix="consigne-fuzz-") as name,
            town(Path(name), gate=Gate(UNLIMITED)) as here,
        ):
            run = fuzz(here, fill(here), role, Path(name) / role, options)
        say(f"as {role}:\n{run.stdout[-20_000:]}{run.stderr[-4_000:]}")
        good = good and run.returncode == 0
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="of each operation (%(default)s)")
    parser.add_argument("--seed", type=int, help="at random, and printed")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    return 0 if campaign(options.examples, seed, lambda text: print(text, flush=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
