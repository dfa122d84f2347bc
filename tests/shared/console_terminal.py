"""A technician's terminal on a whole agent, for the tests of the console and of the desk behind it."""

from device.agent.books import Books
from device.agent.config import Config
from device.agent.core import Agent
from device.agent.effects import Save, Write
from device.agent.events import DoorSensed, JournalMeasured, Ticked, Typed
from protocol.keys import console_answer
from protocol.messages import Booted, decode_up

KEY = bytes(range(32))
NUMBERS = [1, 2, 3, 40]


class Terminal:
    """A technician's terminal on an agent whose doors are all closed."""

    def __init__(self, locker="mairie-1", keys=None, books=None):
        config = Config(locker, 1, KEY, NUMBERS, keys or {}, 12, True, bytes(len(NUMBERS)))
        self.agent = Agent(config, books or Books.replay(NUMBERS, None, []), 1, b"seed", 1)
        self.now = 1_000
        self.effects = self.agent.start(self.now, "power")
        self.step(JournalMeasured(5_000))
        for number in NUMBERS:
            self.step(DoorSensed(number, True))
        self.effects = []

    def step(self, event):
        self.effects = self.agent.step(self.now, event)

    def type(self, data):
        """What appears on the screen for these bytes; what needs several laps to be said is waited for."""
        self.step(Typed(data))
        said = self.effects
        while self.agent.deadline_ms(self.now) <= self.now:
            self.step(Ticked())
            said = said + self.effects
        self.effects = said
        return "".join([str(effect.data, "ascii") for effect in said if isinstance(effect, Write)])

    def order(self, line):
        """The answer to one line, without echo and prompt."""
        lines = self.type(line.encode() + b"\r").split("\r\n")
        assert lines[0].endswith(line)
        answers = [said for said in lines if said[:3] == "OK " or said[:4] == "ERR "]
        assert len(answers) == 1, answers
        return answers[0]

    def saved(self):
        """Beside the word that this boot began, which follows its first record."""
        events = [decode_up(effect.record).event for effect in self.effects if isinstance(effect, Save)]
        return [event for event in events if not isinstance(event, Booted)]

    def log_in(self, name="anna"):
        challenge = self.order("login " + name)
        assert challenge.startswith('OK {"challenge":"') and len(challenge) == 17 + 16 + 2
        return self.order("answer " + console_answer(KEY, bytes.fromhex(challenge[17:33]), name))
