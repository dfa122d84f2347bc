"""Browsers in a town: whoever signs in with a key, reads pages and sends their forms as a browser would."""

from dataclasses import dataclass
from html.parser import HTMLParser

import httpx
from http_town import Town

from gateway.domain.ids import CredentialNumber
from gateway.domain.people import GATEWAY, SCOPES_OF
from gateway.services import people


@dataclass
class FormFound:
    action: str
    method: str
    fields: dict[str, str]


class Read(HTMLParser):
    """A page as a browser reads it: its forms, links, ids, text, and what the policy would refuse."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[FormFound] = []
        self.links: list[str] = []
        self.text = ""
        self.language = ""
        self.refused: list[str] = []  # inline styles and scripts: the policy would not run them
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.unlabelled_cells = 0
        self._select = ""
        self._quiet = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self._note(tag, said)
        if tag == "form":
            self.forms.append(FormFound(said.get("action", ""), said.get("method", "get"), {}))
        elif tag == "select":
            self._select = said.get("name", "")
        elif tag == "option" and self.forms and self._select:
            fields = self.forms[-1].fields
            if "selected" in said or self._select not in fields:
                fields[self._select] = said.get("value", "")
        elif tag == "input" and self.forms and said.get("type") not in ("checkbox", "radio"):
            self.forms[-1].fields[said.get("name", "")] = said.get("value", "")

    def _note(self, tag: str, said: dict[str, str]) -> None:
        self.language = said.get("lang", "") if tag == "html" else self.language
        if "style" in said or tag == "style" or (tag == "script" and "src" not in said):
            self.refused.append(tag)
        self.refused += [name for name in said if name.startswith("on")]
        self.ids += [said["id"]] if "id" in said else []
        self.labelled += [said["for"]] if tag == "label" and "for" in said else []
        self.links += [said["href"]] if tag == "a" and "href" in said else []
        self._quiet += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("script", "style")
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data + " "

    def form(self, ending: str) -> FormFound:
        """The one whose address ends so."""
        return next(form for form in self.forms if form.action.endswith(ending))


@dataclass
class Browser:
    client: httpx.Client
    credential: CredentialNumber

    def get(self, path: str, status: int = 200) -> Read:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return Read(answer.text)

    def send(self, form: FormFound, **fields: str) -> httpx.Response:
        """The form filled in and sent; nothing is followed."""
        return self.client.post(form.action, data={**form.fields, **fields})

    def act(self, page: str, ending: str, **fields: str) -> str:
        """Send that form of that page; where it leads."""
        answer = self.send(self.get(page).form(ending), **fields)
        assert answer.status_code == 303, (ending, answer.status_code, Read(answer.text).text[:300])
        return answer.headers["location"]


def browser(
    town: Town, role: str = "operator", tenant: str = "", scopes: frozenset[str] | None = None, name: str = ""
) -> Browser:
    """Somebody with a key of their own, signed in; a merchant that brings its parcels by itself."""
    given = SCOPES_OF[role] if scopes is None else scopes
    named, carriers = name or f"{role} {tenant}".strip(), (tenant,) if role == "merchant" else ()
    made, secret = people.issue_credential(town.desk, GATEWAY, role, tenant, given, named, carriers)
    client = town.with_secret(None)
    client.headers.update({"Sec-Fetch-Site": "same-origin"})
    assert client.post("/sign-in", data={"key": secret}).status_code == 303
    return Browser(client, made.number)
