"""What the API says: domain values in, documents out. Nothing secret but in the answers made to hand it over: Pickup,
Provisioning and IssuedDelegation, and two of people_answers."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from gateway import qr
from gateway.domain import compartments, delegations, events, ids, letters, lockers, operations, parcels
from gateway.domain.codes import groups_of
from gateway.domain.instants import instant, maybe_instant
from gateway.domain.readings import Reading as Told
from gateway.http.document import Document
from gateway.http.readings import Reading

Availability = Literal["free", "reserved", "occupied", "out_of_service", "quarantined", "open", "unknown"]
HeldBack = Literal["no_contract", "contested"] | None
Value = int | str | bool | None


class Locker(Document):
    id: str
    name: str
    code_digits: int
    provisioned: bool
    generation: int = Field(description="Of its key; counts up each time it is provisioned. 0: never.")
    online: bool
    seen_at: str | None
    firmware: str
    made_at: str
    readings: list[Reading] = Field(description="What its sensors said last: of one locker, and for operators.")

    @staticmethod
    def of(locker: lockers.Locker, said: Iterable[Told] = ()) -> "Locker":
        return Locker(
            id=locker.id,
            name=locker.name,
            code_digits=locker.code_digits,
            provisioned=locker.generation > 0,
            generation=locker.generation,
            online=locker.online,
            seen_at=maybe_instant(locker.seen_s),
            firmware=locker.firmware,
            made_at=instant(locker.made_s),
            readings=[Reading.of(one) for one in said],
        )


class Compartment(Document):
    number: int
    module: str
    size: Literal["S", "M", "L"]
    width_mm: int
    height_mm: int
    depth_mm: int
    x_mm: int
    bottom_mm: int
    accessible: bool
    availability: Availability
    door: str = Field(description="As the locker last said; unknown is a state.")
    holding: str = Field(description="free, depositing, held or revoked, as the locker last said.")
    quarantined: bool
    out_of_service: bool
    leaving: bool = Field(description="Its module is being retired: nothing is put in any more.")
    cycles: int
    parcel: str | None = Field(description="The parcel it is kept for or holds, when you may see it.")

    @staticmethod
    def of(status: compartments.CompartmentStatus) -> "Compartment":
        box = status.compartment
        return Compartment(
            number=box.number,
            module=box.module,
            size=box.size,  # pyright: ignore[reportArgumentType]
            width_mm=box.width_mm,
            height_mm=box.height_mm,
            depth_mm=box.depth_mm,
            x_mm=box.x_mm,
            bottom_mm=box.bottom_mm,
            accessible=box.accessible,
            availability=status.availability,  # pyright: ignore[reportArgumentType]
            door=box.door,
            holding=compartments.HOLDINGS[box.holding],
            quarantined=box.quarantined,
            out_of_service=box.out_of_service,
            leaving=box.leaving,
            cycles=box.cycles,
            parcel=None if status.parcel is None else ids.parcel_id(ids.ParcelNumber(status.parcel)),
        )


class BrokerForLockers(Document):
    """Where a locker dials, and by which CAs it knows whom it speaks to."""

    host: str
    port: int
    tls: bool
    server_name: str = Field(description="What the broker's certificate must be for.")
    authorities: list[str] = Field(description="Certificates of CAs, DER in hex; empty where the broker is not ours.")

    @staticmethod
    def of(meeting: lockers.Meeting) -> "BrokerForLockers":
        return BrokerForLockers(
            host=meeting.host,
            port=meeting.port,
            tls=meeting.tls,
            server_name=meeting.host,
            authorities=[one.hex() for one in meeting.authorities],
        )


class Provisioning(Document):
    """What goes onto the locker over its serial console, once."""

    locker: str
    generation: int
    key: str = Field(description="32 bytes in hex.")
    mqtt_user: str
    mqtt_password: str
    trusted: dict[str, str] = Field(description="Key id -> prepared Ed25519 table, both in hex.")
    broker: BrokerForLockers | None = Field(description="null: the gateway does not know its own name.")

    @staticmethod
    def of(made: lockers.Provisioning) -> "Provisioning":
        return Provisioning(
            locker=made.locker,
            generation=made.generation,
            key=made.key.hex(),
            mqtt_user=made.locker,
            mqtt_password=made.mqtt_password,
            trusted={kid: table.hex() for kid, table in made.trusted.items()},
            broker=BrokerForLockers.of(made.meeting) if made.meeting is not None else None,
        )


class Parcel(Document):
    id: str
    label: str
    locker: str
    size: Literal["S", "M", "L"]
    carrier: str
    merchant: str | None
    accessible: bool
    heavy: bool
    state: Literal["expected", "reserved", "deposited", "collected", "expired", "taken_back", "disputed"]
    announced: bool = Field(
        description="false: its locker took it in by itself; expect it, and its recipient is known."
    )
    held_back: HeldBack = Field(description="No door opens for it until its carrier announces it; null: one does.")
    compartment: int | None = Field(description="Where it is reserved, lies or lay last.")
    expected_at: str
    deposited_at: str | None
    deadline: str | None
    deadline_paused: bool = Field(
        description="Its locker or its door does not work: its days are not counted, and the deadline moves later."
    )
    ended_at: str | None
    collected_by: Literal["recipient", "delegate"] | None
    delegation: str | None = Field(description="Whose, when a delegate collected it.")
    next_actions: list[str]

    @staticmethod
    def of(parcel: parcels.Parcel) -> "Parcel":
        return Parcel(
            id=parcel.id,
            label=parcel.label,
            locker=parcel.locker,
            size=parcel.size,  # pyright: ignore[reportArgumentType]
            carrier=parcel.carrier,
            merchant=parcel.merchant or None,
            accessible=parcel.accessible,
            heavy=parcel.heavy,
            state=parcel.state,  # pyright: ignore[reportArgumentType]
            announced=parcel.announced,
            held_back=parcel.held_back,  # pyright: ignore[reportArgumentType]
            compartment=parcel.compartment,
            expected_at=instant(parcel.expected_s),
            deposited_at=maybe_instant(parcel.deposited_s),
            deadline=maybe_instant(parcel.deadline_s),
            deadline_paused=parcel.deadline_paused,
            ended_at=maybe_instant(parcel.ended_s),
            collected_by=parcel.collected_by,  # pyright: ignore[reportArgumentType]
            delegation=parcel.delegation.hex() if parcel.collected_by and parcel.delegation else None,
            next_actions=list(parcel.next_actions),
        )


class Message(Document):
    """A letter to the recipient. Neither address nor text is kept."""

    kind: Literal["arrived", "code_changed", "reminder", "expired", "collected"]
    channel: Literal["mail", "sms"]
    state: Literal["waiting", "sent", "given_up", "dropped"] = Field(
        description="dropped: outdated before it could be sent, or there is no way to send it."
    )
    sent_at: str | None
    reason: str | None = Field(description="Why it is given up or dropped, or was not sent so far: a stable word.")

    @staticmethod
    def of(letter: letters.Letter) -> "Message":
        return Message(
            kind=letter.kind,  # pyright: ignore[reportArgumentType]
            channel=letter.channel,  # pyright: ignore[reportArgumentType]
            state=letter.state,  # pyright: ignore[reportArgumentType]
            sent_at=maybe_instant(letter.sent_s),
            reason=letter.reason,
        )


class FollowedParcel(Parcel):
    """With what its recipient was told."""

    messages: list[Message] | None = Field(
        description="null: this gateway sends no messages, and whoever expects the parcel has to tell its recipient. "
        "Empty: nothing was owed so far, or the recipient has no address."
    )

    @staticmethod
    def followed(parcel: parcels.Parcel, told: list[letters.Letter] | None) -> "FollowedParcel":
        messages = None if told is None else [Message.of(letter) for letter in told]
        return FollowedParcel(**Parcel.of(parcel).model_dump(), messages=messages)


class Reservation(Document):
    parcel: str
    locker: str
    compartment: int
    made_at: str
    until: str | None = Field(description="null: the parcel lies in it already.")

    @staticmethod
    def of(kept: parcels.Reservation) -> "Reservation":
        return Reservation(
            parcel=ids.parcel_id(kept.parcel),
            locker=kept.locker,
            compartment=kept.compartment,
            made_at=instant(kept.made_s),
            until=maybe_instant(kept.until_s),
        )


class Pickup(Document):
    """What the recipient types or shows. Worked out on demand and kept nowhere."""

    code: str = Field(description="Four groups, of three digits or four.", examples=["123 456 789 012"])
    token: str
    qr_svg: str
    locker: str
    compartment: int
    deadline: str
    opens_also: list[int] = Field(description="Other compartments of the same recipient that it opens in turn.")
    reissue: str | None = Field(description="An operation: until it is done this code still opens, then another one.")

    @staticmethod
    def of(pickup: parcels.Pickup) -> "Pickup":
        return Pickup(
            code=" ".join(groups_of(pickup.code)),
            token=pickup.token,
            qr_svg=qr.svg(pickup.token),
            locker=pickup.locker,
            compartment=pickup.compartment,
            deadline=instant(pickup.deadline_s),
            opens_also=list(pickup.opens_also),
            reissue=None if pickup.reissue is None else ids.operation_id(pickup.reissue),
        )


class Delegation(Document):
    """Somebody else may collect, once, with a token of their own, until the parcel's deadline or until taken back."""

    id: str
    parcel: str
    name: str
    made_at: str
    expires_at: str
    state: Literal["open", "used", "revoking", "revoked", "ended"] = Field(
        description="revoking: it may still open the door until the locker has answered. ended: its code has."
    )
    used_at: str | None
    next_actions: list[str]

    @staticmethod
    def of(made: delegations.Delegation) -> "Delegation":
        return Delegation(
            id=made.id.hex(),
            parcel=ids.parcel_id(made.parcel),
            name=made.name,
            made_at=instant(made.made_s),
            expires_at=instant(made.expiry_s),
            state=made.state,  # pyright: ignore[reportArgumentType]
            used_at=maybe_instant(made.used_s),
            next_actions=list(delegations.NEXT_ACTIONS[made.state]),
        )


class IssuedDelegation(Delegation):
    """With its token, which is shown this once."""

    token: str
    qr_svg: str

    @staticmethod
    def issued(made: delegations.Delegation) -> "IssuedDelegation":
        assert made.token is not None
        return IssuedDelegation(**Delegation.of(made).model_dump(), token=made.token, qr_svg=qr.svg(made.token))


class Operation(Document):
    """An order to a locker, followed to its end: it ends when the locker says so or when it ran out."""

    id: str
    kind: Literal["open", "take_back", "service", "release", "reissue", "revoke_token"]
    locker: str
    compartment: int
    parcel: str | None
    reason: str
    by: str
    state: Literal["waiting", "authorised", "opened", "done", "failed"]
    error: str | None = Field(description="Why it failed: a stable word.")
    made_at: str
    ended_at: str | None
    next_actions: list[str] = Field(description="What to know and do about it as it stands.")

    @staticmethod
    def of(operation: operations.Operation) -> "Operation":
        return Operation(
            id=operation.id,
            kind=operation.kind,  # pyright: ignore[reportArgumentType]
            locker=operation.locker,
            compartment=operation.compartment,
            parcel=None if operation.parcel is None else ids.parcel_id(operation.parcel),
            reason=operation.reason,
            by=operation.by,
            state=operation.state,  # pyright: ignore[reportArgumentType]
            error=operation.code,
            made_at=instant(operation.made_s),
            ended_at=maybe_instant(operation.ended_s),
            next_actions=list(operation.next_actions),
        )


class ConsoleAnswer(Document):
    answer: str = Field(description="12 hex digits, for the console's `answer`.")


class Event(Document):
    id: int
    locker: str
    boot: int
    seq: int
    type: str
    at: str | None = Field(description="By the locker's clock; null while it had none.")
    taken_at: str = Field(description="When it stood in the books.")
    fields: dict[str, Value]
    parcel: str | None

    @staticmethod
    def of(event: events.LoggedEvent) -> "Event":
        return Event(
            id=event.id,
            locker=event.locker,
            boot=event.boot,
            seq=event.seq,
            type=event.name,
            at=maybe_instant(event.t_wall_s),
            taken_at=instant(event.taken_s),
            fields=event.fields,
            parcel=None if event.parcel is None else ids.parcel_id(event.parcel),
        )


class LockerPage(Document):
    data: list[Locker]
    next_cursor: str | None


class CompartmentPage(Document):
    data: list[Compartment]
    next_cursor: str | None


class ParcelPage(Document):
    data: list[Parcel]
    next_cursor: str | None


class DelegationPage(Document):
    data: list[Delegation]
    next_cursor: str | None


class EventPage(Document):
    data: list[Event]
    next_cursor: str | None = Field(description="null: nothing more for now. A page may be empty with more to come.")
    resume_cursor: str = Field(description="Where to ask on later, whether or not there is more now.")


class Health(Document):
    status: Literal["ok"]


class Readiness(Document):
    status: Literal["ready", "not_ready"]
    broker: bool
