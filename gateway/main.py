"""`consigne gateway`: everything that one machine needs, started in order and ended in reverse.

Settings, keys, books, broker, MQTT, clockwork, letters, HTTP; then one line of JSON on stdout says that it is ready.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType

from gateway import config, limits, log
from gateway.authority import Authority, AuthorityError
from gateway.broker import Broker, BrokerError, Secured, find_mosquitto
from gateway.config import Address, ConfigurationError, Settings
from gateway.connections import server_of
from gateway.domain.events import Answer, Arrival
from gateway.domain.lockers import Meeting
from gateway.envelopes import Envelopes
from gateway.http.app import create_app
from gateway.http.streams import Streams
from gateway.key_files import KeyFileError, read_secret, write_secret
from gateway.keys import Keys
from gateway.mqtt import Connection
from gateway.notify.letters import Post
from gateway.notify.set_up import senders_of
from gateway.notify.webhooks import Deliverer
from gateway.outbox import Outbox
from gateway.pipeline import Pipeline
from gateway.rates import Gate
from gateway.services import audit, commands, erasures, expiry, greetings, key_check, lockers, people, trust_orders
from gateway.services.desk import Desk
from gateway.services.key_check import WrongKeysError
from gateway.services.take_up import take_up
from gateway.store.migrations import StoreError
from gateway.store.sqlite import SqliteStore
from gateway.web.app import beside, create_pages

OPERATOR_KEY = "operator.key"


class StartError(Exception):
    """What stands in the way, and what to do about it."""


class Clockwork:
    """What happens because time passed or somebody provisioned a locker: one thread, woken or every few seconds."""

    def __init__(self, desk: Desk, pipeline: Pipeline, envelopes: Envelopes, broker: Broker | None) -> None:
        self._desk = desk
        self._envelopes = envelopes
        self._pipeline = pipeline
        self._broker = broker
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clockwork", daemon=True)
        self._expire_at = 0.0
        self._scrub_at = 0.0
        self._asked_at = -limits.SCRUB_PAUSE_S

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(limits.EXPIRY_LOOK_S)

    def wake(self) -> None:
        """After every act over HTTP: an order may wait for its locker, a new locker for its password."""
        self._pipeline.wake()
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(limits.EXPIRY_LOOK_S)
            self._woken.clear()
            self.tick()
            self._stopping.wait(limits.PROVISIONING_PAUSE_S)

    def tick(self) -> None:
        """One duty that fails, and be it for days, holds up none of the others."""
        self._do(self._let_in)
        if time.monotonic() >= self._expire_at:
            self._expire_at = time.monotonic() + limits.EXPIRY_LOOK_S
            for duty in (commands.expire_commands, expiry.expire_due, erasures.carry_out):
                self._do(duty, self._desk)
            for keep_up in (trust_orders.keep_up, greetings.keep_up):
                self._do(keep_up, self._desk)
            self._do(self._scrub)
            self._pipeline.wake()

    @staticmethod
    def _do(duty: Callable[..., object], *about: Desk) -> None:
        try:
            duty(*about)
        except Exception as error:  # the outermost loop: whatever it is, the next round may do better
            log.event("clockwork_failed", error=type(error).__name__, duty=duty.__name__)

    def _let_in(self) -> None:
        """Exactly the lockers that the books know, each with the key that it was given last."""
        provisioned = lockers.provisioned(self._desk)
        self._envelopes.keep_only(provisioned)
        if self._broker is not None:
            self._broker.sync(provisioned)

    def _scrub(self) -> None:
        """What timers deleted leaves the files a few times a day; what somebody asked for, soon. The log is told the
        head of the acts' chain then: the books could be rewritten as a whole, and it could not."""
        now = time.monotonic()
        asked = now >= self._asked_at + limits.SCRUB_PAUSE_S and erasures.unfinished(self._desk)
        if (asked or now >= self._scrub_at) and erasures.finish(self._desk):
            self._scrub_at = now + limits.SCRUB_EVERY_S
            self._asked_at = now if asked else self._asked_at
            act, head = audit.head(self._desk)
            log.event("acts_chained", act=act, head=head)


class Web:
    """uvicorn in a thread of its own, on a socket that is bound before it starts: the address is known, or refused."""

    def __init__(self, address: Address, desk: Desk, wake: Callable[[], None], pipeline: Pipeline, gate: Gate) -> None:
        self._socket = _listening(address)
        port = int(self._socket.getsockname()[1])
        self.address = Address(address.host, port)
        api = create_app(desk, wake, lambda: pipeline.connected, gate)
        app = beside(api, create_pages(desk, wake, api.state.counter.requests, gate))
        self._streams: Streams = api.state.counter.streams
        self._server = server_of(app)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="http", daemon=True
        )

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()
        until = time.monotonic() + limits.HTTP_START_S_MAX
        while not self._server.started:
            if time.monotonic() > until or not self.alive:
                raise StartError("the HTTP server did not start")
            time.sleep(0.005)
        self._socket.listen(limits.HTTP_BACKLOG)  # uvicorn has made it short

    def stop(self) -> None:
        self._streams.stop()  # they would never end by themselves
        self._server.should_exit = True
        self._thread.join(limits.HTTP_STOP_S_MAX + 1)
        self._socket.close()


def _listening(address: Address) -> socket.socket:
    # With its protocol said: asyncio sets TCP_NODELAY on the connections of such sockets only (40 ms otherwise).
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(limits.HTTP_BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen on {address}: {error.strerror}; choose another with --http HOST:PORT")
    return listener


class Gateway:
    """The whole of it in one object; tests and the bench start it like the command does."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys
        self._ending = ExitStack()
        self.broker: Broker | None = None
        self._post: Post | None = None  # where no letters are sent
        self._secured: Secured | None = None  # where lockers come in without TLS
        self.operator_key_file = settings.data / OPERATOR_KEY

    def start(self) -> None:
        """Raises StartError, StoreError, BrokerError, AuthorityError, KeyFileError, WrongKeysError; then all has
        ended again."""
        with ExitStack() as ending:
            store = SqliteStore.open(self._settings.database_path)
            ending.callback(store.close)
            self.desk = Desk(store, self._keys, self._settings)
            key_check.check(self.desk)
            people.ensure_operator(self.desk, _operator_key(self.operator_key_file))
            address = self._start_broker(ending)
            self.desk = replace(self.desk, meeting=self._meeting(address))
            self._start_pipeline(address, ending)
            self._clockwork = Clockwork(self.desk, self.pipeline, self._envelopes, self.broker)
            self._clockwork.start()
            ending.callback(self._clockwork.stop)
            self._deliverer = Deliverer(self.desk)
            self._deliverer.start()
            ending.callback(self._deliverer.stop)
            gate = Gate(self._settings.requests_per_second)
            self.web = Web(self._settings.http, self.desk, self._wake, self.pipeline, gate)
            self._start_post(ending)
            self.web.start()
            ending.callback(self.web.stop)
            self._ending = ending.pop_all()

    def _start_post(self, ending: ExitStack) -> None:
        if self._settings.channels:
            self._post = Post(self.desk, senders_of(self._settings, f"http://{self.web.address}"))
            self._post.start()
            ending.callback(self._post.stop)

    def _wake(self) -> None:
        """After every act over HTTP."""
        self._clockwork.wake()
        self._deliverer.wake()
        if self._post is not None:
            self._post.wake()

    def _take_up(self, arrivals: Sequence[Arrival]) -> list[Answer]:
        answers = take_up(self.desk, list(arrivals))
        if self._post is not None:
            self._post.wake()
        return answers

    def _start_broker(self, ending: ExitStack) -> Address:
        if self._settings.broker is not None:
            return self._settings.broker
        mosquitto = find_mosquitto(self._settings.mosquitto)
        settings = self._settings
        if settings.broker_tls is not None:
            authority = Authority(settings.data / "tls")
            self._secured = Secured(settings.broker_tls, settings.broker_names, authority)
        self.broker = Broker(settings.data / "broker", mosquitto, settings.broker_listen, self._keys, self._secured)
        ending.callback(self.broker.stop)
        self.broker.start(lockers.provisioned(self.desk))
        return self.broker.address

    def _meeting(self, address: Address) -> Meeting | None:
        """Where lockers find the broker; None where we listen on every address, and nobody said by which name."""
        if self.broker is not None and self.broker.secure_address is not None and self._secured is not None:
            port, trusted = self.broker.secure_address.port, self._secured.authority.trusted
            return Meeting(self._secured.names[0], port, tls=True, authorities=trusted)
        unsaid = address.host in ("0.0.0.0", "::")
        return None if unsaid else Meeting(address.host, address.port, address.tls)

    def _start_pipeline(self, address: Address, ending: ExitStack) -> None:
        desk = self.desk
        self._envelopes = Envelopes(self._keys, lambda locker: lockers.generation_of(desk, locker))
        outbox = Outbox(
            self._envelopes,
            due=lambda limit: commands.due_commands(desk, limit),
            sent=lambda ids: commands.mark_sent(desk, ids),
            ahead=lambda order: trust_orders.ahead_of(order, desk.keys.trusted),
        )
        self.pipeline = Pipeline(self._take_up, self._envelopes, outbox, Connection(address))
        self.pipeline.start()
        ending.callback(self.pipeline.stop)
        until = time.monotonic() + limits.CONNECT_WAIT_S / 2
        while not self.pipeline.connected and time.monotonic() < until:
            time.sleep(0.005)  # somebody else's broker may come later: we start all the same

    def stop(self) -> None:
        self._ending.close()

    @property
    def alive(self) -> bool:
        return self.pipeline.alive and self.web.alive and self._deliverer.alive

    def announcement(self) -> dict[str, str | int | None]:
        broker = self.broker.address if self.broker is not None else self._settings.broker
        secure = self.broker.secure_address if self.broker is not None else None
        return ({"broker_tls": str(secure)} if secure is not None else {}) | {
            "http": f"http://{self.web.address}",
            "broker": str(broker),
            "broker_pid": self.broker.pid if self.broker is not None else None,
            "operator_key_file": str(self.operator_key_file),
        }


def _operator_key(path: Path) -> str:
    """The first credential: made at the first start, in a file that only the operator may read."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32))
    return read_secret(path)


def _load_keys(settings: Settings) -> Keys:
    """New keys are made for new books only: where lockers depend on keys that are gone, that has to be said."""
    depended_on = False
    if settings.database_path.exists():
        with contextlib.closing(SqliteStore.open(settings.database_path)) as store, store.reading() as tx:
            depended_on = tx.something_depends_on_keys()
    return Keys.load(settings.data / "keys", os.environ, make=not depended_on)


@contextlib.contextmanager
def _alone(data: Path) -> Generator[None]:
    """Two gateways on one data folder would both be sure of what they tell their lockers."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(f"another gateway is running with {data}: end it, or choose another folder with --data")
        yield


def _run(settings: Settings) -> int:
    """From the settings to the end. The main thread only waits for a signal."""
    ended = threading.Event()

    def end(number: int, _frame: FrameType | None) -> None:
        log.event("ending", signal=signal.Signals(number).name)
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with _alone(settings.data):
        gateway = Gateway(settings, _load_keys(settings))
        gateway.start()
        try:
            print(json.dumps(gateway.announcement()), flush=True)
            while not ended.wait(1.0):
                if not gateway.alive:
                    log.event("thread_died")
                    return 1
        finally:
            gateway.stop()
    log.event("ended")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    if {"-h", "--help"} & set(arguments):
        print(config.usage())
        return 0
    os.umask(0o077)  # everything we write is the operator's alone
    try:
        settings = config.load(arguments, os.environ)
        log.configure(as_json=settings.log == "json")
        return _run(settings)
    except ConfigurationError as error:
        for problem in error.problems:
            print(f"consigne gateway: {problem}", file=sys.stderr)
        return 2
    except (StartError, StoreError, BrokerError, AuthorityError, KeyFileError, WrongKeysError, OSError) as error:
        print(f"consigne gateway: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
