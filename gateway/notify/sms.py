"""What a text message says: place, door, code, deadline, link. French; English beside it where that costs no more.

Each segment costs its sender; digits and a link need no language, and the page that it leads to speaks the reader's.
"""

from gateway.domain.codes import groups_of
from gateway.domain.letters import Contents
from gateway.limits import SMS_PLACE_SIZE_MAX
from gateway.notify.gsm import plain, segments
from gateway.notify.links import one_line, page
from gateway.words import FIRST, LANGUAGES, Words
from gateway.words.moments import here, soon


def text(contents: Contents, public_url: str) -> str:
    link = page(public_url, contents)
    said = f"{sentence(contents, LANGUAGES[FIRST])} {link}"
    for code, words in LANGUAGES.items():
        more = said.replace(f" {link}", f" / {sentence(contents, words)} {link}")
        if code != FIRST and segments(more) == segments(said):
            said = more
    return said


def sentence(contents: Contents, words: Words) -> str:
    kind = contents.letter.kind + ("_by_delegate" if contents.by_delegate else "")
    place = one_line(contents.place)
    until = contents.deadline_s
    return plain(
        words(
            f"sms.{kind}",
            place=place if len(place) <= SMS_PLACE_SIZE_MAX else place[: SMS_PLACE_SIZE_MAX - 1] + "…",
            door=contents.door,
            code=" ".join(groups_of(contents.code)) if contents.code else "",
            until="" if until is None else soon(here(until), words),
            asks=contents.asks,
        )
    )
