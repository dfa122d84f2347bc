"""A courier's phone in front of a gateway: signed in with a badge, and what its locker would say."""

import re

import httpx
from http_town import Town, key, locker_body

from gateway.domain.ids import parcel_number
from gateway.domain.parcels import NewParcel
from gateway.domain.people import COURIER, GATEWAY, SCOPES_OF_BADGE, Principal
from gateway.services import commands, expiry, parcels, people
from gateway.store.sqlite import SqliteTransaction
from protocol.messages import DoorOpened, Down, Heartbeat, Open, OpeningAuthorised
from protocol.numbers import COMMAND

DAY_S = 86_400


def phone(here: Town, carrier: str = "colibri", language: str = "fr") -> httpx.Client:
    """Signed in with a badge; follows nothing by itself."""
    badge = people.issue_badge(here.desk, GATEWAY, carrier, "c-17", 300)
    client = here.with_secret(None)
    client.headers.update({"Sec-Fetch-Site": "same-origin", "Accept-Language": language})
    assert client.post("/sign-in", data={"key": badge.token}).headers["location"] == "/courier"
    return client


def expect(here: Town, label: str, size: str = "M", carrier: str = "colibri", locker: str = "mairie-1") -> str:
    return parcels.expect_parcel(here.desk, GATEWAY, NewParcel(label, locker, size, carrier)).id


def gare(here: Town, size: str = "M") -> None:
    """A second locker."""
    operator = here.caller()
    body = {**locker_body("gare-1", 3, size), "name": "Gare"}
    assert operator.post("/v1/lockers", json=body, headers=key()).status_code == 201
    assert operator.post("/v1/lockers/gare-1/provisioning", headers=key()).status_code == 201
    here.birth("gare-1", 3)


def followed(client: httpx.Client, path: str, **fields: str) -> str:
    """Posts the form, and gives the text of the page that follows."""
    answer = client.post(path, data=fields)
    assert answer.status_code == 303, answer.text
    return words(client.get(answer.headers["location"]).text)


def words(page: str) -> str:
    """What one reads, with plain spaces."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(text.replace("\xa0", " ").replace("&#39;", "'").split())


def expired(here: Town, label: str, box: int, locker: str = "mairie-1") -> str:
    """Put in, and nobody came."""
    parcel = expect(here, label, locker=locker)
    here.deposit(locker, box, 1, parcel_number(parcel))
    here.now[0] += 30 * DAY_S
    with here.desk.store.transaction() as tx:  # its locker was heard all along
        assert isinstance(tx, SqliteTransaction)
        tx.sql.execute("UPDATE lockers SET seen_s = ?", (here.now[0],))
    expiry.expire_due(here.desk)
    assert parcels.get_parcel(here.desk, GATEWAY, parcel_number(parcel)).state == "expired"
    return parcel


def heard(here: Town, locker: str = "mairie-1") -> None:
    here._take_up(locker, 0, Heartbeat(1, 1, 0))


def opens(here: Town, box: int, locker: str = "mairie-1") -> None:
    """The locker hears the order and opens."""
    down = opens_ordered(here)[-1]
    here.says(locker, OpeningAuthorised(box, COMMAND, None, down.id, down.issued_s), DoorOpened(box))


def opens_ordered(here: Town) -> list[Down]:
    return [one for _, one in commands.due_commands(here.desk, 50) if isinstance(one.command, Open)]


def courier(carrier: str = "colibri") -> Principal:
    return Principal(COURIER, carrier, SCOPES_OF_BADGE, "c-17")
