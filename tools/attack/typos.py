"""Customers who mistype, by the thousand: how often a slip passes the check digit, and whose door it could open.

Two models of slips: `independent` (each digit wrong with 0.8 %, each two neighbours swapped with 0.2 %) and `verhoeff`
(as many slips a code, in the shares that Verhoeff found: single, swap, added or left out, twin, phonetic). What is
typed goes the keypad's way: the twelfth digit enters the code, digits missing are told as such.
"""

import math
import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass

from device.agent.books import Books
from device.agent.codes import Codes
from protocol import damm
from protocol.limits import WRONG_CODE_BUCKET, WRONG_CODE_REFILL_MS
from protocol.messages import DepositAuthorised, Deposited, Up
from protocol.otp import is_well_formed, truncate
from tools.attack.board.siege import DAY_MS, KEY, PICKUPS_A_DAY, TYPED_PERCENT

DIGITS = 12
TYPED_A_YEAR = PICKUPS_A_DAY * TYPED_PERCENT * 365 // 100
WRONG_DIGIT, SWAPPED = 0.008, 0.002
# Verhoeff's ranges are 60-90, 10-20, 10-20 (added or omitted), 0.5-1.5 and 0.5-1.5 %; these lie inside and make 100.
SHARES = {"single": 72.0, "swap": 13.0, "omitted": 6.5, "added": 6.5, "twin": 1.0, "phonetic": 1.0}
SLIPS = 1 - (1 - WRONG_DIGIT) ** DIGITS * (1 - SWAPPED) ** (DIGITS - 1)  # of `independent`: 11.2 % of the codes
_TRIES_A_CUSTOMER = 10


# ------------------------------------------------------------------ slips
def _another(digit: str, chance: random.Random) -> str:
    return str((int(digit) + chance.randrange(1, 10)) % 10)


def independent(code: str, chance: random.Random, often: float = 1) -> str:
    """`often`: so many times the rates above."""
    digits = [_another(digit, chance) if chance.random() < often * WRONG_DIGIT else digit for digit in code]
    for at in range(len(digits) - 1):
        if chance.random() < often * SWAPPED:
            digits[at], digits[at + 1] = digits[at + 1], digits[at]
    return "".join(digits)


def _single(code: str, chance: random.Random) -> str:
    at = chance.randrange(len(code))
    return code[:at] + _another(code[at], chance) + code[at + 1 :]


def _swap(code: str, chance: random.Random) -> str:
    at = chance.randrange(len(code) - 1)
    return code[:at] + code[at + 1] + code[at] + code[at + 2 :]


def _omitted(code: str, chance: random.Random) -> str:
    at = chance.randrange(len(code))
    return code[:at] + code[at + 1 :]


def _added(code: str, chance: random.Random) -> str:
    at = chance.randrange(len(code) + 1)
    return code[:at] + str(chance.randrange(10)) + code[at:]


def _twin(code: str, chance: random.Random) -> str:
    """aa becomes bb, where the code has an aa."""
    places = [at for at in range(len(code) - 1) if code[at] == code[at + 1]]
    if not places:
        return code
    at = chance.choice(places)
    return code[:at] + 2 * _another(code[at], chance) + code[at + 2 :]


def _phonetic(code: str, chance: random.Random) -> str:
    """Thirteen for thirty and the like: a0 and 1a, where the code has one."""
    places = [at for at in range(len(code) - 1) if code[at] > "1" and code[at + 1] == "0"]
    places += [at for at in range(len(code) - 1) if code[at] == "1" and code[at + 1] > "1"]
    if not places:
        return code
    at = chance.choice(places)
    return code[:at] + ("1" + code[at] if code[at + 1] == "0" else code[at + 1] + "0") + code[at + 2 :]


SLIP_KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "single": _single,
    "swap": _swap,
    "omitted": _omitted,
    "added": _added,
    "twin": _twin,
    "phonetic": _phonetic,
}
_NAMES, _WEIGHTS = list(SHARES), list(SHARES.values())


def verhoeff(code: str, chance: random.Random, often: float = 1) -> str:
    """One slip with the chance of SLIPS, sometimes a second and a third on top of it."""
    mean = -often * math.log1p(-SLIPS)  # so many come independently of each other
    none, drawn = math.exp(-mean), chance.random()
    while drawn > none:
        code = SLIP_KINDS[chance.choices(_NAMES, _WEIGHTS)[0]](code, chance)
        drawn *= chance.random()
    return code


Model = Callable[[str, random.Random, float], str]
MODELS: dict[str, Model] = {"independent": independent, "verhoeff": verhoeff}


# ------------------------------------------------------------------ codes
class ShortCodes(Codes):
    """The locker's own tables with fewer digits, so that a slip meets another person's code often enough to count."""

    def __init__(self, books: Books, key: bytes, secret_digits: int) -> None:
        self._modulus = 10**secret_digits
        self._width = secret_digits
        super().__init__(books, key, DIGITS)

    def _derive(self, place: int, deposit: int) -> int:
        name = self._books.numbers[place].to_bytes(2, "big") + deposit.to_bytes(4, "big")
        front = truncate(self._key.digest(name)) % self._modulus
        return front * 10 + int(damm.check_digit(str(front).zfill(self._width)))


def fill(books: Books, codes: Codes) -> None:
    """A parcel into every compartment, under numbers whose codes differ, as the locker chooses them."""
    for place, number in enumerate(books.numbers):
        seq, deposit = books.seq + 1, codes.next_deposit(place)
        books.apply(Up(1, seq, 0, None, DepositAuthorised(number, deposit, number, number, None, None)))
        books.apply(Up(1, seq + 1, 0, None, Deposited(number, deposit, number)))
        codes.refresh(place)


def full_codes(live_codes: int) -> Codes:
    books = Books(list(range(1, live_codes + 1)))
    codes = Codes(books, KEY, DIGITS)
    fill(books, codes)
    return codes


def short_codes(live_codes: int, secret_digits: int, key: bytes) -> Codes:
    books = Books(list(range(1, live_codes + 1)))
    codes = ShortCodes(books, key, secret_digits)
    fill(books, codes)
    return codes


# ------------------------------------------------------------------ counting
@dataclass
class Slips:
    """Of so many codes typed, each by a customer who typed on until the door opened."""

    customers: int = 0
    typed: int = 0
    mistyped: int = 0
    short: int = 0
    typo: int = 0
    passed: int = 0
    others: int = 0

    def share(self, count: int) -> float:
        return count / self.typed

    @property
    def passed_a_year(self) -> float:
        """Of TYPED_A_YEAR customers: guesses that nobody meant."""
        return self.passed / self.customers * TYPED_A_YEAR


def count(codes: Codes, digits: int, customers: int, slip: Model, seed: int, *, often: float = 1) -> Slips:
    """Customers one after the other, each with one of the live codes."""
    chance = random.Random(seed)
    live: array[int] = codes._live
    found = Slips()
    for _ in range(customers):
        right = str(live[chance.randrange(len(live))]).zfill(digits)
        found.customers += 1
        for _ in range(_TRIES_A_CUSTOMER):
            typed = slip(right, chance, often)[:digits]  # the keypad enters it with the last digit
            found.typed += 1
            if typed == right:
                break
            _judge(found, codes, typed, digits)
    return found


def _judge(found: Slips, codes: Codes, typed: str, digits: int) -> None:
    found.mistyped += 1
    if len(typed) < digits:
        found.short += 1
    elif not (is_well_formed(typed) if digits == DIGITS else damm.is_valid(typed)):
        found.typo += 1
    else:
        found.passed += 1
        found.others += codes._find(int(typed)) is not None


def another_door(slips: Slips, live_codes: int, digits: int = DIGITS) -> float:
    """Expected times a locker-year. Another's code is the output of a PRF for another input: whatever the customer's
    own digits are, and whatever a slip makes of them, each of the other codes is any number with the same chance."""
    return slips.passed_a_year * (live_codes - 1) / 10 ** (digits - 1)


def predicted_others(slips: Slips, live_codes: int, digits: int) -> float:
    """Live codes differ, so one that is not mine is any but mine."""
    return slips.passed * (live_codes - 1) / (10 ** (digits - 1) - 1)


# ------------------------------------------------------------------ the bucket without an attacker
class QuietBucket:
    """The locker's rule for its bucket (device.agent.access), for years that nobody simulates key by key."""

    def __init__(self) -> None:
        self.left = WRONG_CODE_BUCKET
        self._refill_at = 0.0

    def take(self, now: float) -> None:
        self.refill(now)
        if self.left == WRONG_CODE_BUCKET:
            self._refill_at = now + WRONG_CODE_REFILL_MS
        self.left = max(0, self.left - 1)

    def refill(self, now: float) -> None:
        while self.left < WRONG_CODE_BUCKET and self._refill_at <= now:
            self.left += 1
            self._refill_at += WRONG_CODE_REFILL_MS


def lowest_bucket(guesses_a_year: float, years: int, seed: int) -> list[int]:
    """[years in which the bucket fell to n and no lower] for n from 0 to 10."""
    chance = random.Random(seed)
    years_of = [0] * (WRONG_CODE_BUCKET + 1)
    year_ms = 365 * DAY_MS
    for _ in range(years):
        bucket = QuietBucket()
        lowest, now = bucket.left, 0.0
        while guesses_a_year and (now := now + chance.expovariate(guesses_a_year) * year_ms) < year_ms:
            bucket.take(now)
            lowest = min(lowest, bucket.left)
        years_of[lowest] += 1
    return years_of
