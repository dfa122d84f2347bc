"""What people do, as the books keep it: acts with who and why, and openings that wait for a second person."""

from dataclasses import dataclass

from gateway.domain.ids import CredentialNumber, OperationNumber, ParcelNumber

# What an act can be: the kinds of operations (gateway.domain.operations.KINDS), and these.
OPENING_ASKED, OPENING_CONFIRMED, OPENING_WITHDRAWN = "opening_asked", "opening_confirmed", "opening_withdrawn"
CODE_SHOWN = "code_shown"
ALARM_TAKEN, ALARM_SNOOZED, ALARM_SETTLED = "alarm_taken", "alarm_snoozed", "alarm_settled"
CREDENTIAL_MADE, CREDENTIAL_REVOKED = "credential_made", "credential_revoked"
BADGE_MADE, BADGE_REVOKED = "badge_made", "badge_revoked"
ERASURE_ASKED, PERSON_ERASED, PERSON_EXPORTED = "erasure_asked", "person_erased", "person_exported"
REPORT_TAKEN, REPORT_CLOSED = "report_taken", "report_closed"
LOCKER_CONFIGURED = "locker_configured"
STAFF_LEFT = "staff_left"
CONTRACT_MADE, CONTRACT_ENDED = "contract_made", "contract_ended"
LABEL_CONTESTED, LABEL_DECIDED = "label_contested", "label_decided"
KINDS = (
    *(OPENING_ASKED, OPENING_CONFIRMED, OPENING_WITHDRAWN, CODE_SHOWN, ALARM_TAKEN, ALARM_SNOOZED, ALARM_SETTLED),
    *(CREDENTIAL_MADE, CREDENTIAL_REVOKED, BADGE_MADE, BADGE_REVOKED, ERASURE_ASKED, PERSON_ERASED, PERSON_EXPORTED),
    *(REPORT_TAKEN, REPORT_CLOSED, LOCKER_CONFIGURED, STAFF_LEFT, CONTRACT_MADE, CONTRACT_ENDED),
    *(LABEL_CONTESTED, LABEL_DECIDED),
)


@dataclass(frozen=True, slots=True)
class Act:
    """`by`: the name of the key; `credential`: which key, None for the gateway itself and for badges. `reason`: why,
    or what it was about (the kind of an alarm, an id), never a name or a secret."""

    id: int
    kind: str
    by: str
    credential: CredentialNumber | None
    locker: str | None
    compartment: int | None
    parcel: ParcelNumber | None
    operation: OperationNumber | None
    reason: str
    made_s: int


@dataclass(frozen=True, slots=True)
class Opening:
    """An occupied compartment that `by` wants open: another key has to agree before `until_s`. `deposit`: of what lay
    in it when it was asked for."""

    number: int
    locker: str
    compartment: int
    deposit: int
    reason: str
    by: str
    credential: CredentialNumber
    made_s: int
    until_s: int
    ended_s: int | None = None
    confirmed_by: str | None = None
    confirmed_credential: CredentialNumber | None = None
    operation: OperationNumber | None = None

    def waits_at(self, now_s: int) -> bool:
        return self.ended_s is None and now_s < self.until_s
