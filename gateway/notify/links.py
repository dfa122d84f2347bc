"""The address of a parcel's page, as letters name it."""

from gateway.domain.letters import Contents


def page(public_url: str, contents: Contents) -> str:
    return f"{public_url}/p/{contents.secret}"


def one_line(text: str) -> str:
    """No line break and no control character: a name must not write our headers or our text."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
