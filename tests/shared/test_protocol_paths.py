"""The ways of checking a signature give the same answers, down to the carries; and the fastest is taken."""

import sys

from both_paths import HERE

from protocol import paths
from protocol.ed25519 import BASE_COLUMNS, BASE_TEETH, COLUMNS, TEETH, L, P, comb, inverse
from protocol.ed25519_base import BASE_TABLE
from protocol.ed25519_tables import BASE, _decompress, _times, prepare
from protocol.sha512 import ROUNDS, sha512

EMITTER = "import micropython\n@micropython.viper\ndef f():\n    pass\n"
SCALARS = (0, 1, 2, 3, L - 1, L - 2, L // 2, (1 << 252) - 1, 1 << 252, 1 << 251, 0x5555555555555555 * (1 << 180))
SHAPES = ((TEETH, COLUMNS), (BASE_TEETH, BASE_COLUMNS))
# Names of residues, the smallest and others, as any sum may leave them: 20 limbs of 13 bits.
ONES = (1 << 260) - 1
NUMBERS = (
    0,
    1,
    2,
    19,
    607,
    608,
    P - 1,
    P,
    P + 1,
    2 * P,
    (1 << 255) - 1,
    1 << 255,
    ONES,
    ONES - 607,
    ONES - 608,
    ONES >> 1,
)
LIMB = 8191


class Chance:
    """The same numbers on both interpreters (xorshift, 31 bits)."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def byte(self) -> int:
        self.state ^= self.state << 13 & 0x7FFFFFFF
        self.state ^= self.state >> 17
        self.state ^= self.state << 5 & 0x7FFFFFFF
        return self.state >> 7 & 255

    def octets(self, count: int) -> bytes:
        return bytes([self.byte() for _ in range(count)])

    def number(self, below: int) -> int:
        return int.from_bytes(self.octets(40), "little") % below


def viper_modules() -> list:
    """The field's native code, where it runs."""
    if len(HERE) == 1:
        return []
    from protocol import ed25519_viper  # noqa: PLC0415

    return [ed25519_viper]


def test_native_code_is_taken_wherever_it_can_run_and_nowhere_else():
    """A mistake in a viper file must not hide behind the fallback."""
    emits = True
    try:
        exec(EMITTER, {})
    except (SyntaxError, ImportError):
        emits = False
    narrow = sys.maxsize == 0x7FFFFFFF
    assert [path.name for path in HERE] == (["bytecode", "viper"] if emits and narrow else ["bytecode"])
    assert paths.BEST.name == HERE[-1].name


def test_sha512_of_every_block_is_the_same_on_each_path():
    chance = Chance(20261124)
    blocks = [
        bytes(128),
        b"\xff" * 128,
        b"\x80" + bytes(127),
        b"\x00\x00\x00\x01" * 32,
        b"\xff\xff\xff\xff\x00\x00\x00\x00" * 16,
    ]
    blocks += [chance.octets(128) for _ in range(30)]
    states = [bytes(64), b"\xff" * 64, b"\x00\x00\x00\x00\xff\xff\xff\xff" * 8, chance.octets(64)]
    for state in states:
        for block in blocks:
            found = [bytearray(state) for _ in HERE]
            for place in range(len(HERE)):
                HERE[place].compress(found[place], ROUNDS, block)
            assert all([one == found[0] for one in found]), (state, block)
    whole = [bytearray(states[3]) for _ in HERE]
    for place in range(len(HERE)):
        HERE[place].compress(whole[place], ROUNDS, b"".join(blocks))
    assert all([one == whole[0] for one in whole])


def test_sha512_of_long_messages_is_the_same_on_each_path():
    chance = Chance(7)
    for size in (511, 512, 1000, 1023, 1024, 1025):
        message = chance.octets(size)
        assert len({sha512(message, path) for path in HERE}) == 1


def test_a_comb_says_the_scalar():
    chance = Chance(1)
    for scalar in list(SCALARS) + [chance.number(L) for _ in range(50)]:
        for teeth, columns in SHAPES:
            digits = comb(scalar, teeth, columns)
            assert len(digits) == columns
            total = 0
            for digit in digits:
                total = 2 * total + point_of(digit, teeth, columns)
            assert total % L == scalar
            assert total % 2 == 1


def point_of(digit: int, teeth: int, columns: int) -> int:
    """What a digit adds, as a multiple of the point: the top tooth plus or minus each lower one, or minus all that."""
    top = teeth - 1
    assert digit & 127 < 1 << top
    found = sum([(1 - 2 * (digit >> tooth & 1)) << tooth * columns for tooth in range(top)], 1 << top * columns)
    return -found if digit >> 7 else found


def encoded(x: int, y: int, z: int) -> int:
    scale = inverse(z)
    return y * scale % P | (x * scale % P & 1) << 255


def test_each_path_adds_up_to_the_point_that_double_and_add_finds():
    """The base point stands in for the key: its table is of minus the key, so s and h make (s - h)B."""
    chance = Chance(2)
    x, y = _decompress(BASE)
    table = prepare(BASE)
    pairs = [(a, b) for a in SCALARS[:5] for b in SCALARS[:5]]
    pairs += [(a, chance.number(L)) for a in SCALARS] + [(chance.number(L), chance.number(L)) for _ in range(10)]
    for s, h in pairs:
        right = _times((s - h) % L, (x, y, 1, x * y % P))
        for path in HERE:
            base = comb(s, BASE_TEETH, BASE_COLUMNS)
            found = path.combine(base, memoryview(BASE_TABLE), comb(h, TEETH, COLUMNS), memoryview(table)[32:])
            assert encoded(*found) == encoded(*right[:3]), (path.name, s, h)


def put(work: bytearray, place: int, limbs: "list[int]") -> None:
    for limb in range(20):
        at = place * 80 + limb * 4
        work[at : at + 4] = (limbs[limb] & 0xFFFFFFFF).to_bytes(4, "little")


def limbs_at(work: bytearray, place: int) -> "list[int]":
    limbs = []
    for at in range(place * 80, place * 80 + 80, 4):
        limb = int.from_bytes(work[at : at + 4], "little")
        limbs.append(limb - (1 << 32) if limb >> 31 else limb)
    return limbs


def value_of(limbs: "list[int]") -> int:
    return sum([limbs[place] << 13 * place for place in range(20)])


def split(number: int) -> "list[int]":
    return [number >> 13 * place & LIMB for place in range(20)]


def check(module, one: "list[int]", other: "list[int]") -> None:
    """A product, a sum and a difference: the right residue, and limbs as the next sum needs them."""
    work = bytearray(module._WORK_SIZE)
    for sign, right in (
        ("*", value_of(one) * value_of(other)),
        ("+", value_of(one) + value_of(other)),
        ("-", value_of(one) - value_of(other)),
    ):
        put(work, 1, one)
        put(work, 2, other)
        module._run(work, work, 0, b" E=A%sB." % sign.encode())
        found = limbs_at(work, 5)
        assert (value_of(found) - right) % P == 0, (sign, one, other)
        assert all([0 <= found[place] <= LIMB for place in range(20) if place != 2]) and -2 <= found[2] <= LIMB + 2
        assert not any(work[module._WORK_SIZE - 160 :]), "a product leaves its columns at 0"


def test_products_sums_and_differences_of_any_limbs_are_right_in_native_code():
    chance = Chance(3)
    high, low = [LIMB] * 20, [0] * 20
    high[2], low[2] = LIMB + 2, -2
    cases = [split(number) for number in NUMBERS] + [high, low]
    cases += [[LIMB if limb == place else 0 for limb in range(20)] for place in (0, 1, 9, 18, 19)]
    for module in viper_modules():
        for one in cases:
            for other in cases:
                check(module, one, other)
            check(module, one, [-limb for limb in one])  # a point that is taken away: its 2dxy is negative throughout
            check(module, [-limb for limb in high], one)
        for _ in range(300):
            check(module, split(chance.number(1 << 260)), split(chance.number(1 << 260)))


def test_an_entry_is_read_as_its_numbers_in_native_code():
    """Each digit of either comb: y + x and y - x change places, and 2dxy its sign, when the point is taken away."""
    chance = Chance(4)
    table = chance.octets(128 * 96)
    for module in viper_modules():
        for digit in range(256):
            work = bytearray(module._WORK_SIZE)
            module._fetch(memoryview(work)[80:], table, digit)
            at = (digit & 127) * 96
            entry = [int.from_bytes(table[start : start + 32], "little") for start in range(at, at + 96, 32)]
            a, b, c = [value_of(limbs_at(work, place)) for place in (1, 2, 3)]
            assert (a, b, c) == ((entry[1], entry[0], -entry[2]) if digit >> 7 else tuple(entry))
