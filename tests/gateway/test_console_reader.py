"""What a console says is understood in any cut, through any noise, within bounded memory."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tools.console.reader import Heard, Kind, Reader

ANSWERS = st.sampled_from(
    ['OK {"locker":"mairie-1"}', "OK {}", "ERR not_allowed login first", 'OK {"text":"a # b> c"}', "OK"]
)
VISIT = (
    b"\r\nConsigne, locker mairie-1. Type help.\r\nmairie-1> help\r\n    status\r\n  * open NUMBER\r\nOK {}\r\n"
    b"mairie-1> reboo\b \b\b \b\b \b\b \b\b \bstatus\r\nOK {}\r\nmairie-1 anne# "
)


def heard_in(pieces: list[bytes], reader: Reader | None = None) -> list[Heard]:
    reader = reader or Reader()
    return [heard for piece in pieces for heard in reader.feed(piece)]


def cut(text: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[begin:end] for begin, end in itertools.pairwise(ends)]


def test_a_visit_is_read_word_for_word() -> None:
    said = heard_in([VISIT])
    assert [(heard.kind, heard.text, heard.actor) for heard in said] == [
        (Kind.BANNER, "Consigne, locker mairie-1. Type help.", ""),
        (Kind.PROMPT, "mairie-1> ", ""),
        (Kind.ECHO, "help", ""),
        (Kind.TOLD, "    status", ""),
        (Kind.TOLD, "  * open NUMBER", ""),
        (Kind.ANSWER, "OK {}", ""),
        (Kind.PROMPT, "mairie-1> ", ""),
        (Kind.ECHO, "status", ""),
        (Kind.ANSWER, "OK {}", ""),
        (Kind.PROMPT, "mairie-1 anne# ", "anne"),
    ]
    assert {heard.locker for heard in said if heard.kind in (Kind.BANNER, Kind.PROMPT)} == {"mairie-1"}


@given(st.binary(max_size=400) | st.just(VISIT), st.lists(st.integers(0, 10_000), max_size=12))
def test_the_cut_of_the_bytes_changes_nothing(text: bytes, places: list[int]) -> None:
    assert heard_in(cut(text, places)) == heard_in([text])


@given(st.lists(st.tuples(st.binary(max_size=60), ANSWERS), max_size=8), st.lists(st.integers(0, 10_000), max_size=8))
def test_no_answer_is_lost_in_noise_between_the_lines(visit: list[tuple[bytes, str]], places: list[int]) -> None:
    sent = b"".join(noise + b"\r\n" + answer.encode() + b"\r\n" for noise, answer in visit)
    heard = iter(heard.text for heard in heard_in(cut(sent, places)) if heard.kind is Kind.ANSWER)
    assert all(answer in heard for _noise, answer in visit), "as they came, each one"


@given(st.binary(max_size=30))
def test_noise_that_is_no_letter_does_not_even_spoil_its_own_line(noise: bytes) -> None:
    noise = bytes(byte for byte in noise if byte < 0x20 or byte > 0x7E)
    assert heard_in([noise + b"OK {}\r\n"])[-1] == Heard(Kind.ANSWER, "OK {}")


@given(st.binary(max_size=2000))
def test_nothing_that_is_heard_can_move_a_cursor(text: bytes) -> None:
    assert all(" " <= letter <= "~" for heard in heard_in([text]) for letter in heard.text)


def test_what_is_taken_back_does_not_reach_into_the_prompt() -> None:
    """Our Ctrl-U, answered with the letters that stood there before the prompt came again."""
    said = heard_in([b"mairie-1> " + b"\b \b" * 5 + b"status\r\n"])
    assert [(heard.kind, heard.text) for heard in said] == [(Kind.PROMPT, "mairie-1> "), (Kind.ECHO, "status")]


def test_a_line_without_an_end_is_said_once_given_up_and_forgotten() -> None:
    reader = Reader(size_max=100)
    said = heard_in([b"x" * 70] * 1000, reader)
    assert said == [Heard(Kind.TOO_LONG)]
    assert len(reader._line) <= 100
    assert heard_in([b"OK no answer\nOK {}\n"], reader) == [Heard(Kind.ANSWER, "OK {}")]
