"""Every personal field in the books: why it is there, how long, and what ends it; and every other column, as not
personal. A test compares this with the tables as they are, so that a new column cannot come in unnoticed, plants
something in each personal field and sees it end, and prints docs/privacy.md from it.
"""

from dataclasses import dataclass

from gateway import limits

RECIPIENT, DELEGATE, STAFF = "recipient", "delegate", "staff"


@dataclass(frozen=True, slots=True)
class Timer:
    """How long, from when on; `fr` and `en` say from when."""

    kept_s: int
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Personal:
    """`erased`: an erasure ends it too. `timer`: one of TIMERS."""

    table: str
    columns: tuple[str, ...]
    whose: str
    timer: str
    erased: bool
    basis: str
    fr: str
    en: str


TIMERS = {
    "recipient": Timer(limits.RECIPIENT_KEPT_S, "après le départ du colis", "after the parcel left"),
    "never_came": Timer(limits.RECIPIENT_WAITS_S, "après l’annonce", "after it was announced"),
    "parcel": Timer(limits.TRAIL_KEPT_S, "après le départ du colis", "after the parcel left"),
    "trail": Timer(limits.TRAIL_KEPT_S, "après sa fin", "after its end"),
    "request": Timer(limits.REQUESTS_KEPT_S, "après la demande", "after the request"),
    "answer": Timer(limits.ANSWERS_KEPT_S, "après la réponse", "after the answer"),
    "badge": Timer(0, "à l’expiration du badge", "when the badge expires"),
}

# Why one may: GDPR article 6(1), in plain words.
BASES = {
    "contract": (
        "livrer le colis que la personne attend (art. 6.1.b et f)",
        "deliver the parcel that the person expects (art. 6.1.b and f)",
    ),
    "consent": (
        "la personne le demande elle-même (art. 6.1.a, et 9.2.a pour la santé)",
        "the person asks for it (art. 6.1.a, and 9.2.a where it tells of health)",
    ),
    "proof": (
        "prouver qui a fait quoi : réclamations de transport, un an (art. L133-6 du code de commerce ; art. 6.1.f)",
        "prove who did what: claims about carriage, one year (code de commerce L133-6; art. 6.1.f)",
    ),
    "security": (
        "savoir qui ouvre les portes et reprendre un badge perdu (art. 6.1.f)",
        "know who opens doors, and take back a lost badge (art. 6.1.f)",
    ),
}

PERSONAL = (
    Personal(
        "recipients",
        ("name", "mail", "phone"),
        *(RECIPIENT, "recipient", True, "contract"),
        "dire à la personne que son colis est là, et où",
        "tell the person that the parcel is there, and where",
    ),
    Personal(
        "recipients",
        ("ref",),
        *(RECIPIENT, "recipient", True, "contract"),
        "numéro de client chez l’expéditeur : plusieurs colis s’ouvrent l’un après l’autre",
        "the sender’s number for its customer: several parcels open in turn",
    ),
    Personal(
        "parcels",
        ("accessible",),
        *(RECIPIENT, "recipient", True, "consent"),
        "donner une porte basse à qui en a besoin",
        "give a low door to whoever needs one",
    ),
    Personal(
        "parcels",
        ("label",),
        *(RECIPIENT, "parcel", False, "proof"),
        "retrouver le colis ; seul l’expéditeur sait à qui ce numéro est",
        "find the parcel; only its sender knows whose number it is",
    ),
    Personal(
        "letters",
        ("provider_id",),
        *(RECIPIENT, "recipient", True, "contract"),
        "demander au prestataire ce qu’est devenu un message",
        "ask the provider what became of a message",
    ),
    Personal(
        "reports",
        ("words",),
        *(RECIPIENT, "recipient", True, "contract"),
        "comprendre ce qui s’est passé",
        "find out what happened",
    ),
    Personal(
        "delegations",
        ("name",),
        *(DELEGATE, "recipient", True, "contract"),
        "distinguer les personnes envoyées, et reprendre le bon droit",
        "tell those who were sent apart, and take the right one back",
    ),
    Personal(
        "acts",
        ("made_by", "parcel", "reason"),
        *(STAFF, "trail", True, "proof"),
        "journal des actes : qui a ouvert, montré un code, fait un badge ; effacé de la personne, il reste vérifiable",
        "log of acts: who opened, showed a code, made a badge; with the person erased it can still be verified",
    ),
    Personal(
        "salts",
        ("actor",),
        *(STAFF, "trail", False, "proof"),
        "le sel qui relie un nom de clé au journal",
        "the salt that links the name of a key to the log",
    ),
    Personal(
        "operations",
        ("made_by", "parcel", "reason"),
        *(STAFF, "trail", True, "proof"),
        "suivre un ordre donné à une consigne",
        "follow an order to a locker",
    ),
    Personal(
        "openings",
        ("made_by", "confirmed_by", "reason"),
        *(STAFF, "trail", False, "security"),
        "deux personnes ouvrent une porte occupée",
        "two people open an occupied door",
    ),
    Personal(
        "alarms",
        ("owner",),
        *(STAFF, "trail", False, "security"),
        "savoir qui s’occupe d’une alarme",
        "know who looks after an alarm",
    ),
    Personal(
        "reports",
        ("closed_by", "closing", "owner"),
        *(STAFF, "trail", True, "proof"),
        "savoir qui s’en est occupé, qui l’a clos, et avec quoi",
        "know who looked after it, who closed it, and with what",
    ),
    Personal(
        "credentials",
        ("name",),
        *(STAFF, "trail", False, "security"),
        "reconnaître une clé",
        "tell keys apart",
    ),
    Personal(
        "badges",
        ("holder",),
        *(STAFF, "trail", False, "security"),
        "numéro d’agent de qui porte le badge",
        "staff number of whoever carries the badge",
    ),
    Personal(
        "handovers",
        ("badge",),
        *(STAFF, "parcel", False, "proof"),
        "prouver qui a déposé le colis",
        "prove who put the parcel in",
    ),
    Personal(
        "deposit_requests",
        ("badge",),
        *(STAFF, "request", False, "proof"),
        "donner la même réponse à la même demande",
        "give the same answer to the same request",
    ),
    Personal(
        "token_revocations",
        ("token",),
        *(STAFF, "badge", False, "security"),
        "reprendre un badge perdu à chaque consigne",
        "take a lost badge back from each locker",
    ),
    Personal(
        "events",
        ("fields",),
        *(STAFF, "trail", False, "proof"),
        "ce que les consignes ont dit : portes, colis, badges, numéros d’agent ; aucun destinataire",
        "what lockers said: doors, parcels, badges, staff numbers; no recipient",
    ),
    Personal(
        "commands",
        ("fields",),
        *(STAFF, "trail", False, "proof"),
        "ce qui a été ordonné aux consignes, et pourquoi ; aucun destinataire",
        "what lockers were ordered to do, and why; no recipient",
    ),
    Personal(
        "answers",
        ("sealed",),
        *(STAFF, "answer", False, "contract"),
        "redonner la même réponse à qui a perdu la première ; chiffrée avec la clé de qui a demandé",
        "give whoever lost an answer the same again; encrypted under the asker’s own key",
    ),
)

# Every other column, and why its table names nobody.
NOT_PERSONAL = {
    "acts": "id kind credential locker compartment operation made_s actor about hash",
    "alarms": "id locker compartment kind parcel raised_s cleared_s owned_s snoozed_s",
    "allocations": "id parcel locker compartment made_s until_s ended_s",
    "answers": "id fingerprint kept_s",
    "badges": "id carrier made_s expiry_s revoked_s role locker",
    "chain": "one after_id after_hash head_id head_hash",
    "claims": "parcel merchant made_s",
    "commands": "position id locker type issued_s ttl_s state code operation parcel compartment",
    "compartments": "locker number module size width_mm height_mm depth_mm x_mm bottom_mm accessible door holding"
    " deposit quarantined out_of_service cycles module_id presence leaving",
    "contracts": "merchant carrier since_s",
    "credentials": "number digest role tenant scopes made_s revoked_s",
    "delegations": "position id parcel made_s expiry_s used_s revoked_s ended_s revocation left_s",
    "deliveries": "position webhook event parcel body since_s tries due_s given_up_s",
    "deposit_requests": "locker boot request command asked_s",
    "erasures": "parcel asked_s erased_s done_s",
    "events": "id locker boot seq type t_mono_ms t_wall_s taken_s parcel",
    "extensions": "parcel made_s",
    "former_deposits": "locker compartment deposit parcel",
    "greetings": "locker wanted held again_s",
    "guarantees": "locker tenant percent",
    "handovers": "parcel opened_s",
    "key_checks": "name value",
    "letters": "id parcel kind deposit channel made_s due_s tries state reason sent_s",
    "locker_keys": "locker kid since_s",
    "lockers": "id name code_digits generation boot last_seq online seen_s firmware made_s birth_seq birth_doors"
    " pickup_days layout",
    "openings": "number locker compartment deposit credential made_s until_s ended_s confirmed_credential operation",
    "operations": "number kind locker compartment state code made_s ended_s",
    "parcels": "number position locker size carrier merchant heavy state expected_s compartment deposit deposited_s"
    " deadline_s ended_s delegation joined_group joined announced by_receipt paused_s told_state"
    " told_deposit reminded vouched handed",
    "readings": "locker name value told_s",  # of a housing, and of nobody in front of it
    "receipt_guesses": "carrier wrong since_s",
    "recipients": "parcel ended_s made_s",
    "reports": "ticket number parcel kind found locker compartment deposit made_s after_event left_s closed_s owned_s",
    "salts": "id parcel salt made_s",
    "signing_keys": "kid public_key state introduced_by introduction signs_s signed_s",
    "sites": "locker address hours phone mail latitude longitude",  # of a service, shown to everybody
    "tallies": "name count",
    "token_revocations": "locker expiry_s done_s retry_s",
    # An organisation's address and words about it; they go with the webhook. A body names no person.
    "webhooks": "number role tenant url types description salt old_salt old_until_s made_s disabled_s failing_since_s"
    " failures hold_until_s delivered_s failed_s failure",
}
