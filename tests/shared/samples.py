"""One envelope of every message, with values that use the widths of their fields. Pinned: never change a row."""

from protocol import messages as m
from protocol.numbers import CONSOLE, FIRST, KEYPAD, SCANNER, TOO_SMALL

ID = bytes(range(8))
LARGE = 0x7FFFFFFFFFFFFFFF

EVENTS = (
    m.Birth("1.2.3", ID, 1, LARGE, bytes([0x11, 0x20, 0x85])),
    m.Lost(),
    m.Heartbeat(45_000, 9_999, 0),
    m.DepositRequested(1, ID, "dupont", "LB123456789FR", FIRST),
    m.MessageRefused(7),
    m.Measured("temperature_dc", -55),
    m.Layout(b"\x01A\x04KR-1\x02\x01\x41" + b"\x00\x00\x01\xc1"),
    m.Booted("1.2.3", "power"),
    m.DoorOpened(1),
    m.DoorClosed(400),
    m.DoorFaulted(24, 5, True),
    m.CourierIdentified(ID, "chez-léa"),
    m.DepositAuthorised(3, 1, 2, LARGE, ID, 1_900_000_000),
    m.Deposited(3, 0xFFFFFFFF, LARGE),
    m.DepositAbandoned(3, 0xFFFFFFFF, LARGE, TOO_SMALL),
    m.Collected(3, 1),
    m.CodeRefused(SCANNER, 8, 10),
    m.BucketRefilled(9),
    m.OpeningAuthorised(3, CONSOLE, "léa", None, None),
    m.CommandDone(ID, 1_900_000_000, 0, 21, None, 1),
    m.ServiceActed("léa", "selftest"),
    m.PickupAuthorised(3, 1, KEYPAD, 0, None),
    m.TokenRevoked(ID, 1_900_000_000, ID, LARGE),
    m.OfflineDepositAuthorised(400, 0xFFFFFFFF, ID, "chez-léa", "LB123456789FR", 2),
    m.ContentsDoubted(3, 1),
)
COMMANDS = (
    m.Ack(255),
    m.Resend(256),
    m.SetTime(ID, 1_900_000_000),
    m.Reject(23, 4),
    m.TrustPart(ID[:4], 2_328, bytes(776)),
    m.Reserved(bytes([0x02, 0x80])),
    m.Assign(1, 0xFFFFFFFF, 14, LARGE),
    m.Decline(1, 24, 22),
    m.Open(14, "parcel stuck"),
    m.Release(14),
    m.Revoke(14, 65_535),
    m.OutOfService(14, False),
    m.Identify(),
    m.Reissue(14, 65_535),
    m.Join(14, 65_535, 0xFFFFFFFF),
    m.RevokeToken(ID, LARGE),
    m.Trust(bytes(256)),
    m.Greet(1),
)
UPS = [
    m.Up(3, place + 1 if event.TYPE >= m.FIRST_CUSTODY_TYPE else 0, 1_000 * place, None if place & 1 else LARGE, event)
    for place, event in enumerate(EVENTS)
]
DOWNS = [m.Down(ID, 1_900_000_000 + place, 60, command) for place, command in enumerate(COMMANDS)]
