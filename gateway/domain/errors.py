"""A refusal: what was asked is understood and not done. The asker's side, never ours.

`code` is one of the words below (stable, for programs), `detail` a sentence for people, `next_actions` what
they can do about it. None of them ever holds a secret or a person's name.
"""

CODES = frozenset(
    {
        "unauthenticated",
        "not_allowed",
        "unknown_locker",
        "unknown_compartment",
        "unknown_parcel",
        "unknown_operation",
        "unknown_badge",
        "unknown_delegation",
        "unknown_credential",
        "unknown_key",
        "unknown_page",
        "unknown_webhook",
        "unknown_report",
        "unknown_opening",
        "unknown_alarm",
        "unknown_erasure",
        "already_exists",
        "no_contract",
        "label_contested",
        "wrong_state",
        "same_person",
        "too_late",
        "lockers_not_ready",
        "locker_offline",
        "keys_in_environment",
        "no_room",
        "no_scanner",
        "out_of_service",
        "bad_value",
        "bad_receipt",
        "rate_limited",
    }
)


class Refusal(Exception):  # noqa: N818 - nothing went wrong: it is the answer
    def __init__(self, code: str, detail: str, next_actions: tuple[str, ...] = ()) -> None:
        assert code in CODES
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.next_actions = next_actions
