"""The `consigne` command: start a gateway, speak to a locker's console, ask and order things of a gateway.

Secrets come from the environment or from files, never from flags. Answers on stdout, errors on stderr with a remedy.
"""

import argparse
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence

from tools import ca_commands, commands, contract_commands, doctor, flash, key_commands, privacy_commands, provision
from tools.client import INTERRUPTED, OK, USAGE, Failed, Gateway, connect_here
from tools.console.command import add_words as console_words
from tools.usage import Parser, version

EPILOG = """\
examples:
  consigne gateway                                   start everything on this machine
  consigne lockers list --json
  consigne parcels expect 6A12345678901 --locker mairie-1 --size M --carrier colibri
  consigne open mairie-1 4 --reason "door stuck"
  consigne badge colibri staff-17 --svg badge.svg
  consigne slip par_… --output slip.html             print it from a browser, on A6
  consigne keys rotate                               a new signing key, told to every locker
  consigne badge anne-3 --technician --locker mairie-1 --days 7
  consigne delegate par_0123456789abc "Mme Bertin" --svg neighbour.svg
  consigne reissue par_0123456789abc                 its code was phished: another one
  consigne contracts add fleurs colibri              the shop may announce this carrier's parcels
  consigne receipt 004123456781 --locker mairie-1 --label 6A12345678901 --size M
  consigne privacy export par_0123456789abc          all that is known of its recipient, as JSON
  consigne privacy erase --contact                   asks for the address, and erases whoever has it
  consigne privacy leave c-17 --tenant colibri       whoever had that name has no access any more
  consigne audit check                               is the log of acts as it was written?
  consigne console                                   a terminal on the locker at this laptop's USB
  consigne console --doors                           its doors as they are, until Ctrl-C
  consigne console /dev/ttyUSB0 -c status -c doors   for scripts
  consigne flash                                     our code onto the board at this laptop's USB
  consigne provision mairie.json --wifi Consignes --label mairie.svg
  consigne answer mairie-1 anne 3f2a 19bc 0d4e 77a1  for a technician who has no network there

environment:
  CONSIGNE_URL        the gateway, http://127.0.0.1:8420 if not set
  CONSIGNE_KEY        your key to it, or
  CONSIGNE_KEY_FILE   the file that holds it; if neither is set, the operator key of the gateway on this machine

exit codes:
  0 done   1 refused   2 wrong usage   3 cannot reach it   4 key missing or not allowed   5 not finished in time
  130 stopped by Ctrl-C; what was ordered before may still happen
"""

Command = Callable[[Namespace], int]


def with_gateway(run: Callable[[Namespace, Gateway], int]) -> Command:
    def command(arguments: Namespace) -> int:
        with connect_here() as gateway:
            gateway.waiting = say_pause
            return run(arguments, gateway)

    return command


def say_pause(seconds: int) -> None:
    print(f"consigne: the gateway is busy; asking again in {seconds} s", file=sys.stderr, flush=True)


def start_gateway(rest: list[str]) -> int:
    from gateway.main import main as gateway_main  # noqa: PLC0415 — loads the whole service

    return gateway_main(rest)


# ------------------------------------------------------------------ the words
def build_parser() -> ArgumentParser:
    parser = Parser(
        prog="consigne",
        description="Smart parcel lockers that towns run themselves.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"consigne {version()}")
    words = parser.add_subparsers(required=True, metavar="COMMAND")

    def verbs(word: str, purpose: str) -> "argparse._SubParsersAction[Parser]":
        return words.add_parser(word, help=purpose).add_subparsers(required=True, metavar="VERB")

    words.add_parser("gateway", help="start the gateway and its broker (consigne gateway --help)", add_help=False)
    console_words(words.add_parser("console", help="speak to a locker's serial console"))
    _answer_words(words.add_parser("answer", help="answer a console's challenge for a technician without a network"))
    _locker_words(verbs("lockers", "the lockers"))
    _parcel_words(verbs("parcels", "the parcels"))
    _open_words(words.add_parser("open", help="open a door, and wait until it is"))
    _badge_words(words.add_parser("badge", help="make a courier's or a technician's badge"))
    _slip_words(words.add_parser("slip", help="a pickup code to print, for who has no phone"))
    _key_words(verbs("keys", "the gateway's keys"))
    ca_commands.add_words(verbs("ca", "the CA that vouches for the broker to the lockers"), _json)
    _contract_words(verbs("contracts", "who announces whose parcels"))
    _delegate_words(words.add_parser("delegate", help="let somebody else collect a parcel, once"))
    _reissue_words(words.add_parser("reissue", help="give a parcel another code, and wait until the locker has it"))
    _receipt_words(words.add_parser("receipt", help="hand in what a locker without a gateway showed"))
    new = words.add_parser("provision", help="make a board a locker: key, doors, broker, label")
    provision.add_words(new)
    new.set_defaults(call=with_gateway(provision.provision_board))
    flash.add_words(words.add_parser("flash", help="bring our code to a board over its serial port"))
    fleet = words.add_parser("fleet", help="which version each locker runs")
    fleet.set_defaults(call=with_gateway(commands.show_fleet))
    _json(fleet)
    _privacy_words(verbs("privacy", "what is known of a recipient"))
    _audit_words(verbs("audit", "the log of what people did"))
    check = words.add_parser("doctor", help="check this machine and the gateway")
    check.set_defaults(call=doctor.check, json=False)
    _json(check)
    return parser


def _json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _answer_words(parser: ArgumentParser) -> None:
    parser.add_argument("locker", metavar="LOCKER")
    parser.add_argument("name", metavar="NAME", help="the technician's, as typed after login")
    parser.add_argument("challenge", metavar="CHALLENGE", nargs="+", help="16 digits and letters, as read out")
    _json(parser)
    parser.set_defaults(call=with_gateway(commands.answer_console))


def _locker_words(verbs: "argparse._SubParsersAction[Parser]") -> None:
    every = verbs.add_parser("list", help="every locker")
    every.set_defaults(call=with_gateway(commands.list_lockers))
    one = verbs.add_parser("show", help="one locker and its compartments")
    one.add_argument("locker", metavar="LOCKER")
    one.set_defaults(call=with_gateway(commands.show_locker))
    tongue = verbs.add_parser("greet", help="the language of its screen for whoever has not chosen one")
    tongue.add_argument("locker", metavar="LOCKER")
    tongue.add_argument("language", metavar="LANGUAGE", nargs="?", help="fr or en; left out: show which")
    tongue.set_defaults(call=with_gateway(commands.greet))
    for verb in (every, one, tongue):
        _json(verb)


def _parcel_words(verbs: "argparse._SubParsersAction[Parser]") -> None:
    every = verbs.add_parser("list", help="your parcels")
    every.set_defaults(call=with_gateway(commands.list_parcels))
    one = verbs.add_parser("show", help="one parcel")
    one.add_argument("parcel", metavar="PARCEL", help="par_…")
    one.set_defaults(call=with_gateway(commands.show_parcel))
    new = verbs.add_parser("expect", help="announce a parcel")
    new.add_argument("label", metavar="LABEL", help="what its barcode says")
    new.add_argument("--locker", required=True)
    new.add_argument("--size", required=True, choices=("S", "M", "L"))
    new.add_argument("--carrier", required=True)
    new.add_argument("--merchant")
    new.add_argument("--recipient-ref", metavar="REF", help="your number for the recipient: theirs open in turn")
    new.add_argument("--accessible", action="store_true", help="within everyone's reach")
    new.add_argument("--heavy", action="store_true", help="over 10 kg")
    new.set_defaults(call=with_gateway(commands.expect_parcel))
    for verb in (every, one, new):
        _json(verb)


def _open_words(parser: ArgumentParser) -> None:
    parser.add_argument("locker", metavar="LOCKER")
    parser.add_argument("compartment", metavar="N", type=int, help="the number on the door")
    parser.add_argument("--reason", required=True, help="why; it stands in the books")
    _json(parser)
    parser.set_defaults(call=with_gateway(commands.open_door))


def _delegate_words(parser: ArgumentParser) -> None:
    parser.add_argument("parcel", metavar="PARCEL", help="par_…")
    parser.add_argument("name", metavar="NAME", help="whom to send; it stays in the gateway")
    parser.add_argument("--svg", metavar="FILE", help="write the QR there")
    _json(parser)
    parser.set_defaults(call=with_gateway(commands.delegate))


def _reissue_words(parser: ArgumentParser) -> None:
    parser.add_argument("parcel", metavar="PARCEL", help="par_…")
    parser.add_argument("--reason", help="why; it stands in the books")
    _json(parser)
    parser.set_defaults(call=with_gateway(commands.reissue))


def _receipt_words(parser: ArgumentParser) -> None:
    parser.add_argument("receipt", metavar="RECEIPT", help="the QR code's text (CR1:…), or the twelve digits")
    parser.add_argument("--locker", metavar="ID", help="with digits: the locker that showed them")
    parser.add_argument("--label", metavar="LABEL", help="with digits: the parcel's")
    parser.add_argument("--size", choices=("S", "M", "L"), help="with digits: as keyed at the locker")
    _json(parser)
    parser.set_defaults(call=with_gateway(commands.hand_in_receipt))


def _badge_words(parser: ArgumentParser) -> None:
    parser.add_argument("carrier", metavar="CARRIER", nargs="?", help="whose courier; left out with --technician")
    parser.add_argument("holder", metavar="HOLDER", help="a staff number, never a name")
    parser.add_argument("--technician", action="store_true", help="for whoever repairs lockers, 90 days at the most")
    parser.add_argument("--locker", metavar="ID", help="a technician's: good on this locker only")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--svg", metavar="FILE", help="write the QR there")
    _json(parser)
    parser.set_defaults(call=with_gateway(commands.issue_badge))


def _slip_words(parser: ArgumentParser) -> None:
    parser.add_argument("parcel", metavar="PARCEL", help="par_…")
    parser.add_argument("--language", default="fr", metavar="LANGUAGE", help="fr (if not given) or en")
    parser.add_argument("--output", metavar="FILE", help="a new file for the page; else it goes to stdout")
    parser.set_defaults(call=with_gateway(commands.print_slip))


def _privacy_words(verbs: "argparse._SubParsersAction[Parser]") -> None:
    export = verbs.add_parser("export", help="all that is known, as JSON, to hand to that person")
    export.set_defaults(call=with_gateway(privacy_commands.export))
    erase = verbs.add_parser("erase", help="erase it; what is under way waits until it has left")
    erase.set_defaults(call=with_gateway(privacy_commands.erase))
    for verb in (export, erase):
        verb.add_argument("parcel", metavar="PARCEL", nargs="?", help="par_…")
        verb.add_argument("--contact", action="store_true", help="ask for a mail address or telephone number instead")
        _json(verb)
    leave = verbs.add_parser("leave", help="somebody who works here leaves: take back every key and badge of a name")
    leave.set_defaults(call=with_gateway(privacy_commands.leave))
    leave.add_argument("name", metavar="NAME", help="of their keys, or the staff number on their badges")
    leave.add_argument("--tenant", metavar="TENANT", help="of a carrier or merchant; left out: the town's own people")
    _json(leave)
    for verb in (erase, leave):
        verb.add_argument("--yes", action="store_true", help="do not ask")


def _contract_words(verbs: "argparse._SubParsersAction[Parser]") -> None:
    every = verbs.add_parser("list", help="every contract, and whoever announces parcels without one")
    every.set_defaults(call=with_gateway(contract_commands.list_contracts))
    new = verbs.add_parser("add", help="let a merchant announce a carrier's parcels")
    new.set_defaults(call=with_gateway(contract_commands.add))
    end = verbs.add_parser("end", help="from now on it announces none, and what was not put in gets no door")
    end.set_defaults(call=with_gateway(contract_commands.end))
    end.add_argument("--yes", action="store_true", help="do not ask")
    for verb in (new, end):
        verb.add_argument("merchant", metavar="MERCHANT", help="as on its key")
        verb.add_argument("carrier", metavar="CARRIER", help="as on its badges; the merchant itself if it brings them")
    for verb in (every, new, end):
        _json(verb)


def _audit_words(verbs: "argparse._SubParsersAction[Parser]") -> None:
    check = verbs.add_parser("check", help="whether it is as it was written; exit code 1 if it is not")
    check.set_defaults(call=with_gateway(privacy_commands.check_acts))
    _json(check)


def _key_words(verbs: "argparse._SubParsersAction[Parser]") -> None:
    folder_help = "the data folder of a gateway on this machine; its keys are in keys/"
    show = verbs.add_parser("show", help="signing keys by id, and which lockers trust them")
    show.add_argument("--folder", metavar="FOLDER", help=f"look at the files alone: {folder_help}")
    show.set_defaults(call=key_commands.show(with_gateway(key_commands.show_of_gateway)))
    make = verbs.add_parser("make", help="make the keys of a new gateway, before its first start")
    make.add_argument("--folder", metavar="FOLDER", help=folder_help)
    make.add_argument(
        "--replace-lost", action="store_true", help="keys are lost for good: make those that are missing"
    )
    make.set_defaults(call=key_commands.make)
    rotate = verbs.add_parser("rotate", help="make the next signing key, and tell every locker to trust it")
    rotate.set_defaults(call=with_gateway(key_commands.rotate))
    promote = verbs.add_parser("promote", help="sign with the next key from now on")
    promote.set_defaults(call=with_gateway(key_commands.promote))
    drop = verbs.add_parser("drop", help="tell every locker not to trust a key any more")
    drop.add_argument("key", metavar="KEY", help="its id, 8 hex digits")
    drop.set_defaults(call=with_gateway(key_commands.drop))
    for verb in (promote, drop):
        verb.add_argument("--force", action="store_true", help="also while lockers are not ready; they are cut off")
    for verb in (make, promote, drop):
        verb.add_argument("--yes", action="store_true", help="do not ask")
    for verb in (show, make, rotate, promote, drop):
        _json(verb)


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["help"]:
            words = [*words[1:], "--help"]
        if words[:1] == ["gateway"]:
            return start_gateway(words[1:])
        parser = build_parser()
        if not words:
            parser.print_help(sys.stderr)
            parser.exit(USAGE)
        arguments = parser.parse_args(words)
        code: int = arguments.call(arguments)
        sys.stdout.flush()  # a reader that went away is noticed here, not at the interpreter's end
        return code
    except Failed as failed:
        print(f"consigne: {failed.text}", file=sys.stderr)
        if failed.remedy:
            print(f"  {failed.remedy}", file=sys.stderr)
        return failed.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `consigne … | head` is no error
        return OK
    except KeyboardInterrupt:
        print("consigne: stopped", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
