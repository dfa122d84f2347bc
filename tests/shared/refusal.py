"""What a test of refusals asks: with which code did it say no?"""

from protocol.errors import ProtocolError


def refusal_of(function, *arguments) -> str:
    """The ProtocolError's code, or "accepted". Anything else that is raised is a failure of the test."""
    try:
        function(*arguments)
    except ProtocolError as error:
        return error.code
    return "accepted"
