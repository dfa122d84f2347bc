"""The door that a locker chooses by itself, over cabinets drawn by chance."""

from device.agent.allocation import choose, is_reserved
from device.agent.books import Books
from device.agent.described import parse


def test_the_choice_is_a_free_door_that_fits_and_none_is_smaller_or_less_used():
    state = 1
    for _ in range(300):
        drawn = []
        for _number in range(40):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            drawn.append(state >> 16)
        count = 1 + drawn[0] % 12
        books = Books([number + 1 for number in range(count)])
        sizes = bytes([drawn[1 + place] % 3 for place in range(count)])
        for place in range(count):
            books._renumber(place, drawn[13 + place] % 5)
        reserved = bytes([drawn[25] & 0xFF, drawn[26] & 0xFF][: drawn[27] % 3])
        free = [place for place in range(count) if drawn[28 + place] % 2]
        size = drawn[38] % 4
        may = [
            place
            for place in free
            if sizes[place] >= size
            and not (place + 1 < 8 * len(reserved) and reserved[(place + 1) // 8] >> (place + 1) % 8 & 1)
        ]
        found = choose(books, sizes, size, reserved, free)
        assert (found is None) == (not may)
        if found is not None:
            assert found in may
            ranks = [(sizes[place], books.deposit(place)) for place in may]
            assert (sizes[found], books.deposit(found)) == min(ranks)


def test_bits_of_compartments_that_are_not_there_are_nothing():
    assert not is_reserved(b"", 1) and not is_reserved(b"\x01", 400) and is_reserved(bytes(50) + b"\x01", 400)
    assert not is_reserved(b"\xff", 8) and is_reserved(b"\xff", 7)


def test_a_compartment_whose_size_is_not_told_is_taken_for_a_large_one():
    sizes = {5: "L", 1: "S", 2: None, 3: "XXL", 4: "M"}
    boxes = [{"number": number, "size": sizes[number]} for number in (5, 1, 2, 3, 4)] + [{"number": 6}]
    document = {"version": 1, "locker": "gare-1", "generation": 1, "modules": [{"compartments": boxes}]}
    config = parse(document, bytes(32), {})
    assert config.numbers == [1, 2, 3, 4, 5, 6] and config.sizes == bytes([0, 2, 2, 1, 2, 2])
