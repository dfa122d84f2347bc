"""What a section prints as it goes, and what it leaves for the line of JSON at the end: the same numbers."""

import os
import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Value = int | float | str
Say = Callable[[str], None]
_WIDTH_MIN = 60


@dataclass
class Report:
    """One section's table. `fields` are its numbers, by the names that the JSON has."""

    say: Say
    fields: dict[str, Value] = field(default_factory=dict[str, Value])

    def heading(self, name: str, text: str) -> None:
        self.say(f"\n{name}: {text}")
        self.say(f"  again: python -m tools.bench {name}    load average now: {load_average():.1f}")

    def row(self, name: str, value: Value, unit: str, meaning: str, goal: str = "") -> None:
        self.fields[name] = value
        wanted = f"  [goal: {goal}]" if goal else ""
        self.say(f"  {name:<26} {_plain(value):>10} {unit:<10} {meaning}{wanted}")

    def note(self, text: str) -> None:
        """How to read the rows that follow."""
        width = max(_WIDTH_MIN, shutil.get_terminal_size((110, 24)).columns - 4)
        line = ""
        for word in text.split():
            if line and len(line) + len(word) + 1 > width:
                self.say(f"  {line}")
                line = word
            else:
                line = f"{line} {word}".strip()
        self.say(f"  {line}")


def _plain(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def load_average() -> float:
    """Of the last minute: how far what else runs here blurs the numbers."""
    return round(os.getloadavg()[0], 2)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -int(-len(ranked) * percent // 100) - 1)]
