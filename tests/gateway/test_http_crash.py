"""The gateway's process is killed in the middle of acts: retried with the same keys, each took effect once."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from http_town import locker_body, parcel_body, town

ROOT = Path(__file__).parent.parent.parent
ACTS = 200
KILLED_AT = (40, 90, 150)  # answers seen; one life ends at each
SERVE = """
import sys, time
sys.path[:0] = ["tests/gateway", "."]
from pathlib import Path
from http_town import town
with town(Path(sys.argv[1])) as made:
    print(made.url, made.caller().headers["authorization"].split()[1], flush=True)
    time.sleep(60)
"""


class Life:
    """One run of the gateway, killed at the end."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", SERVE, str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url, self.secret = self.process.stdout.readline().split()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def act_all(url: str, secret: str, said: dict[int, bytes]) -> None:
    """Every act by two couriers at once, until the line breaks; what was answered before is answered the same."""

    def courier(numbers: range) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, trust_env=False) as client:
            for number in numbers:
                try:
                    answer = client.post(
                        "/v1/parcels", json=parcel_body(f"n{number}"), headers={"Idempotency-Key": f"act-{number}"}
                    )
                except httpx.HTTPError:
                    return
                assert answer.status_code == 201
                assert said.setdefault(number, answer.content) == answer.content

    couriers = [threading.Thread(target=courier, args=(range(first, ACTS, 2),)) for first in range(2)]
    for thread in couriers:
        thread.start()
    for thread in couriers:
        thread.join(60)


def kill_at(life: Life, said: dict[int, bytes], answers: int) -> None:
    until = time.monotonic() + 60
    while len(said) < answers and time.monotonic() < until:
        time.sleep(0.0005)
    life.kill()


def test_acts_retried_after_a_kill_take_effect_once_and_get_the_same_answer(tmp_path: Path) -> None:
    said: dict[int, bytes] = {}
    secret = ""
    for answers in KILLED_AT:
        life = Life(tmp_path)
        secret = secret or life.secret
        if not said:
            headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "locker"}
            httpx.post(f"{life.url}/v1/lockers", json=locker_body(), headers=headers, trust_env=False)
        killer = threading.Thread(target=kill_at, args=(life, said, answers))
        killer.start()
        act_all(life.url, secret, said)
        killer.join(60)
    assert 0 < len(said) < ACTS, "killed in the middle"
    with town(tmp_path) as made:
        act_all(made.url, secret, said)
        assert len(said) == ACTS
        client = made.with_secret(secret)
        first = client.get("/v1/parcels?limit=200").json()["data"]
        assert sorted(row["label"] for row in first) == sorted(f"n{number}" for number in range(ACTS))
