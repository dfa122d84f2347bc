"""In which language a locker's screen greets whoever has not chosen one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Greeting:
    """`wanted`: None where nobody said it, and the locker greets as it was built. `held`: what the locker said it has
    kept; None: nothing yet."""

    wanted: str | None = None
    held: str | None = None

    @property
    def lacking(self) -> bool:
        return self.wanted != self.held
