"""`net` and `net test`: how the link is; and where it breaks: network, DNS, TCP, a captive portal, TLS, or the broker.

The test lets the link itself dial and follows it, so that it finds what the locker finds. Where something answers that
is no broker of ours, the same host is asked over plain HTTP too, for what a gateway answers: a
portal sends whoever asks to a page of its own, or answers with it at once.
"""

from typing import TYPE_CHECKING

from device.agent.events import LinkClosed, LinkOpened, Received
from device.desk.wrap import wrapped

if TYPE_CHECKING:
    from typing import Any

    from device.desk.seat import Desk

_STAGES = ("network", "dns", "tcp", "tls", "broker")
# Words with spaces around each: one text is no name on the board, thirty words would be thirty.
_TLS = " wrong_ca wrong_host cert_expired cert_not_yet not_tls tls_refused tls_timeout no_ca no_memory "
_OURS = " dns no_network no_ca no_memory cert_expired cert_not_yet bad_credentials not_authorised id_refused "
_ON_THE_WAY = " refused reset timeout "
_TEST_MS = 45_000  # the longest: a name server, a TCP connection, a handshake and a broker that all take their time
_PORTAL_MS = 6_000
_LAP_MS = 20
_HEAD_MAX = 1024
_ASKED = b"GET /health HTTP/1.0\r\nHost: "
_OURS_SAY = b'{"status":"ok"}'  # a gateway's answer to that; nobody else's


def _net(desk: "Desk", words: "list[str]") -> None:
    if not words:
        desk.ok(desk.agent.link.facts(desk.now))
    elif words[0] != "test":
        desk.misused("net")
    else:
        desk.task = _Test(desk)
        desk.task.step(desk)


class _Test:
    def __init__(self, desk: "Desk") -> None:
        self.call_at = desk.now
        self._until = desk.now + _TEST_MS
        self._opened = False  # TCP was
        self._cause = ""
        self._portal: Any = None
        self._head = b""
        if not desk.agent.link.online:
            desk.agent.link.last_error = ""

    def step(self, desk: "Desk") -> None:
        self.call_at = desk.now + _LAP_MS
        if self._portal is not None:
            self._ask(desk)
            return
        link = desk.agent.link
        self._opened = self._opened or link.state == "connecting"
        if link.online:
            self._tell(desk, "")
        elif link.last_error:
            self._broke(desk, link.last_error)
        elif desk.now >= self._until:
            self._broke(desk, "timeout")
        elif link.state == "waiting":
            link.somebody_came(desk.now, True)

    def stop(self, desk: "Desk") -> None:
        self._hang_up()
        desk.err("stopped", "Ctrl-C")

    def _broke(self, desk: "Desk", cause: str) -> None:
        self._cause = cause
        board = desk.agent.console.board
        if board is None or _in(cause, _OURS):
            self._tell(desk, cause)
            return
        self._until = desk.now + _PORTAL_MS
        self._portal = board.transport.beside()
        self._portal.dial()

    # -------------------------------------------------------------- a captive portal
    def _ask(self, desk: "Desk") -> None:
        events: list[Any] = []
        self._portal.gather(desk.now, events)
        over = desk.now >= self._until
        for event in events:
            if isinstance(event, LinkOpened):
                host: str = self._portal.host
                self._portal.send(desk.now, _ASKED + host.encode() + b"\r\n\r\n")
            elif isinstance(event, Received):
                self._head += event.data
            elif isinstance(event, LinkClosed):
                over = True
        if over or len(self._head) > _HEAD_MAX or _is_whole(self._head):
            portal = is_portal(self._head, self._portal.host)
            self._hang_up()
            self._tell(desk, "portal" if portal else self._cause)

    def _hang_up(self) -> None:
        if self._portal is not None:
            self._portal.hang_up()

    # -------------------------------------------------------------- what came of it
    def _tell(self, desk: "Desk", cause: str) -> None:
        broken = "" if not cause else self._stage(cause)
        for stage in _STAGES:
            if stage == broken:
                break
            desk.say(stage + " ok")
        if cause:
            desk.say("! " + broken + " " + cause)
            hands = desk.hands()
            text = (
                (hands.text(desk.language, "network " + cause) or hands.text(desk.language, "network"))
                if hands
                else ""
            )
            for line in wrapped(text):
                desk.say("  " + line)
        desk.ok({"cause": cause, "failed": broken, "passed": not cause})

    def _stage(self, cause: str) -> str:
        if cause == "no_network":
            return "network"
        if cause in ("dns", "portal"):
            return "tcp" if cause == "portal" else "dns"
        if _in(cause, _TLS):
            return "tls"
        return "tcp" if _in(cause, _ON_THE_WAY) and not self._opened else "broker"


def _in(word: str, words: str) -> bool:
    return f" {word} " in words


def _is_whole(answer: bytes) -> bool:
    """Whether enough of it has come; what follows a 200 must be seen too."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return b"\r\n\r\n" in answer and (b" 200" not in head[:16] or len(body) >= len(_OURS_SAY))


def is_portal(answer: bytes, host: str) -> bool:
    """Whether this answer of HTTP is a portal's: it asks for a login (511, RFC 6585), leads to another host, or has a
    page for whatever it is asked. 204, or what a gateway says, is nobody's who stands in between."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        return False
    if words[1] == b"511":
        return True
    if words[1] == b"200":
        return not body.startswith(_OURS_SAY)
    for line in lines[1:]:
        if line.lower().startswith(b"location:"):
            target = line[9:].strip().lower()
            return b"://" in target and target.split(b"://", 1)[1].split(b"/", 1)[0].split(b":")[0] != host.encode()
    return False


ORDERS = {"net": _net}
