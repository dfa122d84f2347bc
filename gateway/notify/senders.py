"""What every way to a recipient offers, and how it may fail. No error here holds an address or a text."""

from typing import Protocol

from gateway.domain.letters import Contents


class SendError(Exception):
    """`reason`: a stable word, for the books and the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TryLater(SendError):  # noqa: N818 - it says what to do
    """It did not work now. `after_s`: what the provider asks for. `of_the_channel`: it is not about this letter, and
    the next one would fare the same."""

    def __init__(self, reason: str, after_s: float | None = None, of_the_channel: bool = False) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.of_the_channel = of_the_channel


class NeverError(SendError):
    """It will never work for this address."""


class Sender(Protocol):
    def send(self, contents: Contents) -> str:
        """Give it to the provider; what the provider calls it ("": nothing). Raises TryLater, NeverError."""
        ...

    def close(self) -> None:
        """End what was kept open for the next letter of the same round."""
        ...
