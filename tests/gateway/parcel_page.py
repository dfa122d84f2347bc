"""A parcel's page as its recipient meets it, and what the tests read of a page's structure."""

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import httpx
from http_town import Town, key, parcel_body

from gateway.domain import ids, links
from gateway.domain.ids import ParcelNumber
from gateway.services import commands
from protocol.errors import number_of
from protocol.messages import CommandDone, Down, Message

VOID = {"meta", "link", "img", "input", "br", "path", "rect", "line"}


class Read(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def actions(self) -> set[str]:
        """The last part of where its forms go."""
        return {form["action"].rsplit("/", 1)[-1] for form in self.of("form")}

    def check(self) -> None:
        """What makes a page readable for everyone, as far as its source shows."""
        assert not self.open, self.open
        found = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert not [name for name, count in Counter(found).items() if count > 1], "an id stands twice"
        assert len(self.of("h1")) == 1 and len(self.of("main")) == 1
        for tag, attributes in self.elements:
            assert "style" not in attributes and not any(name.startswith("on") for name in attributes), tag
            assert tag != "style" and (tag != "script" or "src" in attributes)
            for pointer in ("aria-labelledby", "aria-describedby", "for"):
                assert attributes.get(pointer, found[0]) in found, attributes
            if attributes.get("role") == "img":
                assert attributes["aria-label"]
            if tag == "img":
                assert "alt" in attributes
        levels = [int(tag[1]) for tag, _ in self.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))
        labelled = {label.get("for") for label in self.of("label")}
        for tag in ("input", "textarea"):
            for field in self.of(tag):
                assert field.get("type") in ("hidden", "radio") or field["id"] in labelled, field


@dataclass
class Recipient:
    """Whoever has the link, with a browser that keeps nothing."""

    here: Town
    number: ParcelNumber
    client: httpx.Client
    language: str = "fr"

    @property
    def path(self) -> str:
        return f"/p/{links.link_secret(self.here.desk.keys.derived(links.PURPOSE), self.number)}"

    @property
    def id(self) -> str:
        return ids.parcel_id(self.number)

    def get(self, more: str = "") -> httpx.Response:
        self.client.cookies.clear()
        return self.client.get(self.path + more, headers={"Accept-Language": self.language})

    def page(self, more: str = "") -> Read:
        answer = self.get(more)
        assert answer.status_code == 200, answer.text
        read = Read(answer.text)
        read.check()
        return read

    def post(self, act: str, **fields: str) -> httpx.Response:
        return self.client.post(f"{self.path}/{act}", data=fields, headers={"Sec-Fetch-Site": "same-origin"})

    def act(self, act: str, **fields: str) -> str:
        """What the page says afterwards."""
        answer = self.post(act, **fields)
        assert answer.status_code == 303, answer.text
        onward = answer.headers["location"]
        assert onward.startswith(f"{self.path}?said=") and onward.endswith("#said")
        self.page(onward.removeprefix(self.path))
        return onward.removeprefix(f"{self.path}?said=").removesuffix("#said")

    @property
    def code(self) -> str | None:
        """The digits that the page shows."""
        found = re.findall(r'<span class="half">([\d ]+)</span>', self.get().text)
        return " ".join(found) or None


def announced(here: Town, label: str = "label-1", **more: Any) -> Recipient:
    made = here.caller().post("/v1/parcels", json=parcel_body(label, **more), headers=key())
    assert made.status_code == 201, made.text
    return Recipient(here, ids.parcel_number(made.json()["id"]), here.with_secret(None))


def deposited(here: Town, label: str = "label-1", **more: Any) -> Recipient:
    """In the door that was kept for it."""
    one = announced(here, label, **more)
    kept = here.caller().post(f"/v1/parcels/{one.id}/reservation", headers=key())
    assert kept.status_code == 201, kept.text
    here.deposit(kept.json()["locker"], kept.json()["compartment"], 1, one.number)
    return one


def later(here: Town, seconds: int) -> None:
    """Time in which every locker was heard all along."""
    here.now[0] += seconds
    with here.desk.store.transaction() as tx:
        for locker in tx.lockers():
            locker.seen_s = here.now[0]
            tx.keep_lockers([(locker, locker.last_seq)])


def ordered(here: Town, kind: type[Message]) -> Down:
    """The outbox's newest order of this kind."""
    return [down for _, down in commands.due_commands(here.desk, 50) if isinstance(down.command, kind)][-1]


def answers(here: Town, locker: str, kind: type[Message], code: str = "ok", value: int = 0) -> None:
    """The locker has carried it out, or not."""
    down = ordered(here, kind)
    compartment = getattr(down.command, "compartment", None)
    here.says(locker, CommandDone(down.id, down.issued_s, number_of(code), kind.TYPE, compartment, value))
