"""Text messages through a provider's HTTP interface: one POST of JSON, as the settings describe it.

2xx is sent; 429, 5xx and whatever is wrong with our account is later; another 4xx is never for that number.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any, cast

import httpx

from gateway.config import is_loopback
from gateway.domain.letters import Contents
from gateway.limits import PROVIDER_ID_SIZE_MAX, SMS_ANSWER_SIZE_MAX, SMS_WAIT_S
from gateway.notify import sms
from gateway.notify.phones import e164, takes_messages
from gateway.notify.retry_after import retry_after_s
from gateway.notify.senders import NeverError, TryLater

_PLACE = re.compile(r"\{(to|text)\}")
_IDS = ("id", "message_id", "messageId", "sid")  # as providers call what they call it
_OURS = frozenset((401, 402, 403, 404, 405, 407))  # a key, an account or an address that is wrong: every letter's fate
_LATER = frozenset((408, 425, 429))
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([ -~]*)")  # RFC 9110 5.1, visible ASCII


class SmsSender:
    def __init__(self, url: str, headers: Mapping[str, str], body: str, public_url: str) -> None:
        """`body`: a JSON object with {to} and {text} somewhere in it."""
        self._url = url
        self._template = json.loads(body)
        self._public_url = public_url
        # Environment proxies are for what leaves this machine.
        outside = not is_loopback(httpx.URL(url).host)
        given = {**headers, "Content-Type": "application/json"}
        self._client = httpx.Client(headers=given, timeout=SMS_WAIT_S, trust_env=outside)

    def send(self, contents: Contents) -> str:
        number = e164(contents.address)
        if number is None:
            raise NeverError("bad_number")
        if not takes_messages(number):
            raise NeverError("no_mobile")
        text = sms.text(contents, self._public_url)
        body = json.dumps(filled(self._template, {"to": number, "text": text}), ensure_ascii=False).encode()
        # To a provider that knows this header, a second try after a lost answer is the same message.
        headers = {"Idempotency-Key": contents.message_id}
        try:
            with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                judge(answer)
                return _id_in(_read(answer))
        except httpx.HTTPError:
            raise TryLater("no_answer", of_the_channel=True)

    def close(self) -> None:
        """The pool closes by itself what is idle."""


def read_headers(text: str) -> dict[str, str]:
    """Lines NAME: VALUE. Raises ValueError, which holds no value."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            match = _HEADER.fullmatch(line.strip())
            if match is None:
                raise ValueError(f"line {number}: wanted NAME: VALUE")
            found[match[1]] = match[2]
    return found


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """Its texts with their places filled in, in one go: what a value says is never a place."""
    if isinstance(template, str):
        return _PLACE.sub(lambda match: values[match[1]], template)
    if isinstance(template, list):
        return [filled(one, values) for one in cast("list[Any]", template)]
    if isinstance(template, dict):
        return {name: filled(one, values) for name, one in cast("dict[str, Any]", template).items()}
    return template


def judge(answer: httpx.Response) -> None:
    """Raises TryLater, NeverError."""
    status = answer.status_code
    if 200 <= status < 300:
        return
    if status in _OURS or status < 400:
        raise TryLater("account_refused", of_the_channel=True)
    if status in _LATER or status >= 500:
        raise TryLater("busy", retry_after_s(answer), of_the_channel=True)
    raise NeverError("refused")


def _read(answer: httpx.Response) -> bytes:
    """No more than we care for. The message is sent, whatever becomes of the rest."""
    found = b""
    with contextlib.suppress(httpx.HTTPError):
        for piece in answer.iter_bytes():
            found += piece
            if len(found) > SMS_ANSWER_SIZE_MAX:
                return b""
    return found


def _id_in(body: bytes) -> str:
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    known = cast("dict[str, Any]", said)
    found = next((known[name] for name in _IDS if isinstance(known.get(name), str | int)), "")
    return str(found) if str(found).isprintable() and len(str(found)) <= PROVIDER_ID_SIZE_MAX else ""
