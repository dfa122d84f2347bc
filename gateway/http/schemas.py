"""What the API takes: every body with a limit on every field, and no field that is not named here.

Answers are in answers.py. Words are the design's; times are RFC 3339 in UTC; sizes are S, M, L and millimetres.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway import limits
from gateway.domain import lockers, operations, parcels, people
from gateway.domain.contacts import MAIL, PHONE, is_mail
from protocol.limits import COMPARTMENTS_MAX, LABEL_SIZE_MAX, RECEIPT_SIZE_MAX
from protocol.topics import LOCKER_ID_MAX

SLUG = r"^[a-z0-9][a-z0-9-]*$"


def printable(text: str) -> str:
    """No control characters: they break logs, screens and databases, and no name needs one."""
    if not text.isprintable():
        raise ValueError("printable characters only")
    return text


def looks_like_mail(text: str) -> str:
    if not is_mail(text):
        raise ValueError("looks like NAME@DOMAIN")
    return text


LockerId = Annotated[
    str,
    Field(min_length=1, max_length=LOCKER_ID_MAX, pattern=SLUG, description="a-z, 0-9 and '-'", examples=["mairie-1"]),
]
Slug = Annotated[str, Field(min_length=1, max_length=limits.TENANT_SIZE_MAX, pattern=SLUG, examples=["colibri"])]
Name = Annotated[str, Field(min_length=1, max_length=limits.NAME_SIZE_MAX), AfterValidator(printable)]
Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=limits.REASON_SIZE_MAX,
        description="Why; it stands in the audit log.",
        examples=["door stuck"],
    ),
    AfterValidator(printable),
]
Label = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LABEL_SIZE_MAX,
        pattern=r"^[ -~]+$",
        description="What the barcode says (S10, SSCC, a carrier's own): printable ASCII, opaque to us.",
        examples=["6A12345678901"],
    ),
]
Mail = Annotated[
    str,
    Field(max_length=limits.MAIL_SIZE_MAX, json_schema_extra={"pattern": MAIL}, examples=["anne@exemple.fr"]),
    AfterValidator(printable),
    AfterValidator(looks_like_mail),
]
Phone = Annotated[str, Field(max_length=limits.PHONE_SIZE_MAX, pattern=PHONE, examples=["+33 3 22 00 00 00"])]
Size = Literal["S", "M", "L"]
Number = Annotated[int, Field(ge=1, le=COMPARTMENTS_MAX, description="The number on the door.")]
Millimetres = Annotated[int, Field(ge=1, le=limits.MM_MAX)]


class Body(BaseModel):
    """Unknown fields are refused: a misspelt optional field must not be ignored in silence. No coercion either."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CompartmentBody(Body):
    number: Number
    size: Size
    width_mm: Millimetres
    height_mm: Millimetres
    depth_mm: Millimetres
    x_mm: Annotated[int, Field(ge=0, le=limits.MODULES_MAX * limits.MM_MAX, description="Of its left edge.")]
    bottom_mm: Annotated[int, Field(ge=0, le=limits.MM_MAX, description="Of its floor, above the ground.")]
    accessible: bool = False

    def domain(self) -> lockers.NewCompartment:
        return lockers.NewCompartment(**self.model_dump())


class ModuleBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=8, examples=["A"]), AfterValidator(printable)]
    compartments: Annotated[list[CompartmentBody], Field(min_length=1, max_length=limits.COMPARTMENTS_PER_MODULE_MAX)]

    def domain(self) -> lockers.NewModule:
        return lockers.NewModule(self.name, tuple(compartment.domain() for compartment in self.compartments))


class LockerBody(Body):
    """A locker as it is built. Compartments are numbered from 1 without a gap, each number once in the locker."""

    id: LockerId
    name: Name
    modules: Annotated[list[ModuleBody], Field(min_length=1, max_length=limits.MODULES_MAX)]
    code_digits: Literal[12, 16] = 12

    def domain(self) -> lockers.NewLocker:
        return lockers.NewLocker(
            self.id, self.name, tuple(module.domain() for module in self.modules), self.code_digits
        )


class RecipientBody(Body):
    """Who collects it; kept by the gateway only, and erased 30 days after the parcel left."""

    name: Name | None = None
    mail: Mail | None = None
    phone: Phone | None = None


class ParcelBody(Body):
    label: Label
    locker: LockerId
    size: Size
    carrier: Slug
    merchant: Slug | None = None
    recipient: RecipientBody | None = None
    recipient_ref: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=limits.RECIPIENT_REF_SIZE_MAX,
            pattern=r"^[ -~]+$",
            description="Your own number for the recipient: parcels of one carrier and merchant with the same one, in "
            "one locker, open one after the other with any one of their codes. Erased with the recipient.",
            examples=["K-1047"],
        ),
    ] = None
    accessible: Annotated[bool, Field(description="It needs a compartment within everyone's reach.")] = False
    heavy: Annotated[bool, Field(description="Over 10 kg: lifted between 0.4 and 1.2 m only.")] = False

    def domain(self) -> parcels.NewParcel:
        recipient = self.recipient or RecipientBody()
        return parcels.NewParcel(
            label=self.label,
            locker=self.locker,
            size=self.size,
            carrier=self.carrier,
            merchant=self.merchant or "",
            recipient_name=recipient.name,
            recipient_mail=recipient.mail,
            recipient_phone=recipient.phone,
            recipient_ref=self.recipient_ref,
            accessible=self.accessible,
            heavy=self.heavy,
        )


class ReceiptBody(Body):
    """The QR code's text alone, or all of locker, label, size and digits."""

    receipt: Annotated[
        str | None,
        Field(min_length=1, max_length=RECEIPT_SIZE_MAX, pattern=r"^CR1:[ -~]+$", description="The QR code's text."),
    ] = None
    locker: LockerId | None = None
    label: Label | None = None
    size: Annotated[Size | None, Field(description="As keyed at the locker.")] = None
    digits: Annotated[
        str | None,
        Field(min_length=12, max_length=12, pattern=r"^[0-9]{12}$", description="As the locker showed them."),
    ] = None

    @model_validator(mode="after")
    def _in_one_form(self) -> "ReceiptBody":
        given = [field is not None for field in (self.locker, self.label, self.size, self.digits)]
        if any(given) if self.receipt is not None else not all(given):
            raise ValueError("receipt: alone, or all of locker, label, size and digits without it")
        return self

    def keyed(self) -> tuple[str, str, str, str]:
        """locker, label, size, digits"""
        assert self.locker and self.label and self.size and self.digits
        return self.locker, self.label, self.size, self.digits


class ReasonBody(Body):
    reason: Reason


class ReissueBody(Body):
    reason: Reason = operations.REISSUE


class DelegationBody(Body):
    name: Annotated[Name, Field(description="Whom to send; kept by the gateway only, with the recipient's fields.")]


class ServiceBody(Body):
    out: Annotated[bool, Field(description="true: out of service; false: back in service.")]
    reason: Reason


class ConsoleChallengeBody(Body):
    challenge: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="As the console's `login` showed it.")]
    name: Annotated[
        str, Field(min_length=1, max_length=32, pattern=r"^[!-~]+$", description="The name given to `login`.")
    ]


class BadgeBody(Body):
    """A courier's badge names its carrier; a technician's has none, and may be for one locker only."""

    role: Literal["courier", "technician"] = "courier"
    carrier: Annotated[Slug | None, Field(description="Whose courier; left out for a technician.")] = None
    locker: Annotated[LockerId | None, Field(description="The only one a technician's is good on.")] = None
    holder: Annotated[
        str,
        Field(
            min_length=1, max_length=limits.TENANT_SIZE_MAX, pattern=SLUG, description="A staff number, never a name."
        ),
    ]
    days: Annotated[
        int,
        Field(
            ge=1, le=limits.BADGE_DAYS_MAX, description=f"A technician's: {limits.TECHNICIAN_DAYS_MAX} at the most."
        ),
    ] = 30

    @model_validator(mode="after")
    def _of_one_kind(self) -> "BadgeBody":
        if (self.role == "courier") != (self.carrier is not None):
            raise ValueError("carrier: a courier's badge names it, a technician's does not")
        if self.role == "courier" and self.locker is not None:
            raise ValueError("locker: a courier's badge is good on all of them")
        return self


class CredentialBody(Body):
    role: Literal["operator", "courier", "merchant"]
    tenant: Annotated[
        Slug | None, Field(description="The carrier's or merchant's slug; left out for an operator.")
    ] = None
    scopes: Annotated[list[people.Scope], Field(min_length=1, max_length=len(people.SCOPES))]
    name: Name
    carriers: Annotated[
        list[Slug],
        Field(
            max_length=limits.CONTRACTS_AT_ONCE_MAX,
            description="Of a merchant: carriers it has a contract with from now on; its own slug where it brings its "
            "parcels by itself. Left out: no new one.",
        ),
    ] = Field(default_factory=list[str])
