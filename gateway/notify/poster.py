"""One try to hand something to a receiver that somebody named: resolve, judge the address, connect to that address.

The name is looked up once, here, and what is connected to is the address that was judged, so that a name which answers
something else the next moment gains nothing (DNS rebinding). TLS is checked for the name. No redirect is followed, no
proxy asked, no connection used twice: one address may stand for many names, and each has to prove its own.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from gateway import limits, reach
from gateway.domain.destinations import Destination, destination_of, reachable
from gateway.domain.errors import Refusal
from gateway.notify.retry_after import retry_after_s

LookUp = Callable[[str, int], Sequence[str]]
_AGENT = "Consigne-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Reply:
    """`failure`: a word, "" when the receiver took it. `retry_after_s`: what it asks for."""

    failure: str
    retry_after_s: int | None = None


class Poster:
    """Used by one event loop."""

    def __init__(
        self, allow_private: bool, look_up: LookUp = reach.look_up, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allow_private = allow_private
        self._look_up = look_up
        self._names = ThreadPoolExecutor(limits.WEBHOOK_LOOK_UPS_AT_ONCE_MAX, "names")
        self._client = httpx.AsyncClient(
            verify=tls or _trusted(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(limits.WEBHOOK_S_MAX, connect=limits.WEBHOOK_CONNECT_S_MAX),
            limits=httpx.Limits(max_connections=limits.WEBHOOKS_AT_ONCE_MAX, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        self._names.shutdown(wait=False, cancel_futures=True)
        await self._client.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Never raises for what the world does, and is over within limits.WEBHOOK_S_MAX."""
        try:
            async with asyncio.timeout(limits.WEBHOOK_S_MAX):
                return await self._post(url, headers, body)
        except (TimeoutError, httpx.TimeoutException):
            return Reply("timeout")
        except httpx.HTTPError as error:
            return Reply("tls" if _is_tls(error) else "unreachable")

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            there = destination_of(url, self._allow_private)
        except Refusal:  # made while more was allowed
            return Reply("bad_url")
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._names, self._look_up, there.host, there.port)
        addresses = reachable(found, self._allow_private)[: limits.WEBHOOK_ADDRESSES_MAX]
        if not addresses:
            return Reply("private_address" if found else "unknown_host")
        for address in addresses[:-1]:
            try:
                return await self._post_to(there, address, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent
        return await self._post_to(there, addresses[-1], headers, body)

    async def _post_to(self, there: Destination, address: str, headers: Mapping[str, str], body: bytes) -> Reply:
        sent = {**headers, "Host": there.authority, "User-Agent": _AGENT, "Connection": "close"}
        named = {"sni_hostname": there.host}  # whom TLS asks for and whose certificate it wants
        request = self._client.build_request("POST", there.at(address), headers=sent, content=body, extensions=named)
        reply = await self._client.send(request, stream=True)
        await reply.aclose()  # its body, however long, is not read
        if reply.is_success:
            return Reply("")
        wanted = retry_after_s(reply) if reply.status_code in _SAYING_WHEN else None
        return Reply(_WORDS.get(reply.status_code, f"status_{reply.status_code}"), wanted)


_WORDS = {410: "gone"}
_SAYING_WHEN = (429, 503)  # the only answers whose Retry-After is for us


def _trusted() -> ssl.SSLContext:
    """The authorities that come with us, and those of this machine: a town may have its own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _is_tls(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
