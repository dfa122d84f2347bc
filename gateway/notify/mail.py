"""What a mail says, and the message that carries it: text and HTML with the same words, French first, English after.

Nothing is loaded from anywhere, nothing is counted, no link asks for anything; the code stands in no header.
"""

from dataclasses import dataclass
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, parseaddr
from html import escape
from typing import Any

from gateway.domain.codes import groups_of, halves_of
from gateway.domain.letters import WITH_CODE, Contents
from gateway.limits import NAME_SIZE_MAX
from gateway.notify.links import one_line, page
from gateway.notify.senders import NeverError
from gateway.words import FIRST, LANGUAGES, Words
from gateway.words.moments import here, moment


@dataclass(frozen=True)
class Line:
    """One paragraph. `look`: a name in _HTML."""

    look: str
    text: str


class _Policy(EmailPolicy):
    """EmailPolicy loses a space of the subject where it breaks the line between two encoded words (CPython 3.11.7);
    the older Header does not."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name != "Subject":
            return super().fold_binary(name, value)
        folded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {folded}{self.linesep}".encode("ascii")


POLICY = _Policy(linesep="\r\n")


def compose(contents: Contents, mail_from: str, public_url: str) -> EmailMessage:
    """Raises NeverError where the recipient's address is none."""
    sender = mailbox(mail_from)
    first = LANGUAGES[FIRST]
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = _recipient(contents)
    message["Subject"] = first(f"letter.{contents.letter.kind}.subject", place=one_line(contents.place))
    message["Date"] = formatdate(contents.now_s)
    message["Message-ID"] = f"<{contents.message_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply comes back
    said = {code: lines(contents, page(public_url, contents), words) for code, words in LANGUAGES.items()}
    message.set_content(_text(said), cte="quoted-printable")
    message.add_alternative(_html(said), subtype="html", cte="quoted-printable")
    message["Content-Language"] = ", ".join(LANGUAGES)
    return message


def mailbox(text: str) -> Address:
    """What config.Settings has checked. Raises ValueError."""
    name, address = parseaddr(text)
    return Address(one_line(name), addr_spec=address)


def _recipient(contents: Contents) -> Address:
    local, at, domain = contents.address.rpartition("@")
    try:
        address = f"{local}{at}{domain.encode('idna').decode()}"
        if not (address.isascii() and address.isprintable() and local):
            raise ValueError
        return Address(one_line(contents.name)[:NAME_SIZE_MAX], addr_spec=address)
    except Exception:  # email's parser has no one error for what it cannot read
        raise NeverError("bad_address")


# ------------------------------------------------------------------ what it says
def lines(contents: Contents, link: str, words: Words) -> list[Line]:
    kind = contents.letter.kind
    with_code = kind in WITH_CODE
    said = [Line("title", _title(contents, words))]
    if contents.name and words.code == FIRST:
        said.append(Line("text", words("letter.for", person=one_line(contents.name))))
    said.append(Line("place", f"{one_line(contents.place)}, {words('slip.door', door=contents.door)}"))
    if with_code:
        said += _code_lines(contents, words)
    if words.has(f"letter.{kind}.ask"):
        said.append(Line("text", words(f"letter.{kind}.ask", asks=contents.asks)))
    page_shows = "letter.page" if with_code and contents.has_scanner else "letter.page_only"
    said += [Line("text", words(page_shows)), Line("link", link)]
    return said + [Line("text", advice) for advice in words.several("letter.advice") if with_code]


def _title(contents: Contents, words: Words) -> str:
    when = "" if contents.ended_s is None else moment(here(contents.ended_s), words)
    part = "by_delegate" if contents.by_delegate else "text"
    return words(f"letter.{contents.letter.kind}.{part}", when=when)


def _code_lines(contents: Contents, words: Words) -> list[Line]:
    assert contents.deadline_s is not None
    until = moment(here(contents.deadline_s), words)
    said = [
        Line("text", words("slip.code")),
        Line("code", contents.code),
        Line("text", f"{words('slip.until')} {until}."),
        Line("text", words("slip.use" if contents.has_scanner else "slip.use_typed")),
    ]
    if contents.opens_also:
        doors = ", ".join(words("slip.door", door=door) for door in contents.opens_also)
        said.append(Line("text", words("letter.opens_also", doors=doors)))
    return said


# ------------------------------------------------------------------ how it looks
def _text(said: dict[str, list[Line]]) -> str:
    parts = ["\n\n".join(_text_line(line) for line in of_one) for of_one in said.values()]
    return "\n\n-----\n\n".join(parts) + "\n"


def _text_line(line: Line) -> str:
    return f"    {' '.join(groups_of(line.text))}" if line.look == "code" else line.text


_STYLE = "margin:0 0 16px;line-height:1.5;"
_HTML = {
    "title": '<h1 style="font-size:20px;margin:24px 0 16px;line-height:1.3">{}</h1>',
    "place": f'<p style="{_STYLE}font-size:20px;font-weight:bold">{{}}</p>',
    "code": f'<p style="{_STYLE}font-size:28px;font-weight:bold;font-family:monospace">{{}}</p>',
    "text": f'<p style="{_STYLE}">{{}}</p>',
    "link": f'<p style="{_STYLE}word-break:break-all"><a href="{{0}}">{{0}}</a></p>',
}


def _html(said: dict[str, list[Line]]) -> str:
    parts = "<hr>\n".join(
        f'<div lang="{code}">\n{"".join(map(_html_line, of_one))}</div>\n' for code, of_one in said.items()
    )
    return (
        f'<!doctype html>\n<html lang="{FIRST}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(said[FIRST][0].text)}</title>\n</head>\n"
        '<body style="font-family:sans-serif;font-size:16px;max-width:480px;margin:0 auto;padding:0 12px">\n'
        f"{parts}</body>\n</html>\n"
    )


def _html_line(line: Line) -> str:
    """A code breaks between its halves only, so that 320 pixels are enough for 16 digits too."""
    if line.look != "code":
        return _HTML[line.look].format(escape(line.text)) + "\n"
    halves = " ".join(f'<span style="white-space:nowrap">{half}</span>' for half in halves_of(line.text))
    return _HTML["code"].format(halves) + "\n"
