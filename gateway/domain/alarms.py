"""The kinds of alarms there are. What each means and what to do is said in gateway/words, table `alarm`.

tests/gateway/test_alarm_kinds.py reads the services for alarms that are not here.
"""

from gateway.domain.readings import BOUNDS, VERDICTS
from protocol.numbers import CONTENTS_FINDINGS, DOOR_STATES

_QUIET_DOORS = ("closed", "opening", "open")  # states that are no fault
DOORS = tuple(f"door_{state}" for state in DOOR_STATES if state not in _QUIET_DOORS)
CONTENTS = tuple(f"contents_{finding}" for finding in (*CONTENTS_FINDINGS, "differ"))
SENSORS = tuple(sorted({bound.kind for bound in BOUNDS} | set(VERDICTS.values())))
KINDS = (
    *DOORS,
    *CONTENTS,
    *SENSORS,
    "compartment_missing",
    "compartment_moved",
    "compartments_differ",
    "deposit_at_another_locker",
    "deposit_by_revoked_badge",
    "deposit_of_a_parcel_that_cannot_be",
    "deposit_of_an_unknown_parcel",
    "deposit_overtaken",
    "deposit_unannounced",
    "events_lost",
    "holding_differs",
    "journal_went_back",
    "label_contested",
    "module_lost",
    "no_room_for_revocations",
    "opened_by_an_unknown_order",
    "parcel_unknown_to_its_locker",
    "parcel_without_code",
    "pickup_by_a_revoked_delegate",
    "pickup_by_an_unknown_delegate",
    "pickup_of_a_parcel_that_cannot_be",
    "pickup_of_an_unknown_parcel",
    "provision_again",
    "release_refused",
    "revoked_code_tried",
    "trust_refused",
    "two_parcels_in_one_compartment",
    "typed_codes_closed",
    "unknown_compartment",
)
