"""`save FILE`: the locker's own log (`log export`) as JSON lines, checked by the count and checksum at its end."""

import json
from binascii import crc32
from pathlib import Path
from typing import Any, cast

from protocol.errors import ProtocolError
from protocol.messages import decode_up
from tools.client import REFUSED, USAGE, Failed
from tools.console.session import Session


def save_log(session: Session, line: str) -> str:
    """`save FILE [FIRST]` carried out: the answer, as the locker would say it. Raises Failed."""
    words = line.split()
    if len(words) not in (2, 3):
        return "ERR bad_value usage: save FILE [FIRST]"
    records: list[bytes] = []
    session.overheard = lambda told: _take(told, records)
    try:
        said = session.order(" ".join(["log export", *words[2:]]))
    finally:
        session.overheard = None
    if not said.startswith("OK"):
        return said
    try:
        end = cast(dict[str, Any], json.loads(said[3:]))
    except ValueError:
        end = {}
    crc = 0
    for record in records:
        crc = crc32(record, crc)
    if (end.get("count"), end.get("crc")) != (len(records), f"{crc:08x}"):
        raise Failed("the log was damaged on its way", "check the cable, and save it again", REFUSED, "damaged")
    path = Path(words[1])
    _write(path, records)
    return f'OK {{"file":{json.dumps(path.name)},"records":{len(records)}}}'


def _take(told: str, records: list[bytes]) -> None:
    try:
        records.append(bytes.fromhex(told))
    except ValueError:
        records.append(b"")  # noise: the checksum will say so


def _write(path: Path, records: list[bytes]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps(readable_record(record), ensure_ascii=False) + "\n")
    except OSError as problem:
        raise Failed(f"cannot write {path}: {type(problem).__name__}", "name a file in your own folder", USAGE)


def readable_record(record: bytes) -> dict[str, Any]:
    """What it says, field by field; one of a firmware that we do not know, as hex."""
    try:
        up = decode_up(record)
    except ProtocolError:
        return {"hex": record.hex()}
    event: Any = up.event
    fields = {name: _plain(value) for name, value in zip(event.FIELDS, event.values(), strict=True)}
    return {
        "seq": up.seq,
        "boot": up.boot,
        "t_mono_ms": up.t_mono_ms,
        "t_wall_s": up.t_wall_s,
        "event": type(event).__name__,
        **fields,
    }


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
