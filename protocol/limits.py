"""A limit on everything, named, with what it protects against."""

# --- bytes and shapes from outside
CBOR_DEPTH_MAX = 8  # MicroPython recurses 176 frames on a PC, fewer on a board
CBOR_ITEMS_MAX = 256  # a header must not make us allocate for items that are not there
MESSAGE_SIZE_MAX = 1024  # one MQTT payload; a board's receive buffer is allocated once
TOKEN_SIZE_MAX = 512  # a token's bytes, before its signature costs any time
SCAN_SIZE_MAX = 800  # one scanner frame: Base45 of the largest token, or a label
LABEL_SIZE_MAX = 64  # a carrier's parcel number (S10, SSCC and the like), opaque to us
CONSOLE_LINE_MAX = 320  # a technician's badge, pasted
STATEMENT_SIZE_MAX = 256  # a signed statement about a signing key
RECEIPT_SIZE_MAX = 800  # a deposit receipt's text: the longest label, and its seal
TRUST_PART_SIZE_MAX = 776  # a quarter of a key's table: one message with its envelope

# --- the locker
COMPARTMENTS_MAX = 400  # 20 modules of 20
PULSE_MS = 300  # a lock coil's ordinary pulse
PULSE_MS_MAX = 1000  # a coil burns when held (safety: never more than 1 s)
PULSE_DUTY_WINDOW_MS = 60_000
PULSE_DUTY_MS_MAX = 6_000  # 10 % of the window
PULSE_TRIES_MAX = 3  # then the door is jammed
PULSE_RETRY_MS = 2_000
LEFT_OPEN_REMIND_MS = 30_000
LEFT_OPEN_MS = 180_000
DOOR_FLAPS_MAX = 5  # sensor changes without an order, per minute, before it is faulty
CONTENTS_SETTLE_MS = 1_000  # an occupancy sensor may be so much later than the door's switch
REQUEST_TTL_MS = 60_000  # how long an Assign may answer a courier's request
COMMAND_OPENS_PER_HOUR_MAX = 10  # a captured gateway cannot open a town
COMMAND_IDS_KEPT = 128  # remembered against repeats; older ones are refused by their issue time
COMMAND_TTL_OPEN_S_MAX = 60
REOPEN_MS = 180_000
REOPENS_MAX = 2
COURIER_IDLE_MS = 120_000
COURIER_REOPEN_MS = 120_000  # the courier's own second look into the last compartment
NEXT_PARCEL_MS = 60_000  # how long somebody who has one more parcel here may ask for it with one key
WRONG_CODE_BUCKET = 10
WRONG_CODE_REFILL_MS = 8 * 3_600_000  # three a day
WRONG_CODE_PAUSE_MS = 5_000
TYPING_IDLE_MS = 20_000
JOURNAL_RECORDS_KEPT = 10_000  # acknowledged ones, so that a restored gateway can ask again
JOURNAL_RESERVE_RECORDS = 2_000  # room beside what the parcels inside need: deposits are refused below it
JOURNAL_COMMANDS_MAX = 500  # what commands and technicians may take of the reserve
JOURNAL_GUESSES_MAX = 1_500  # and wrong codes: 250 days of as many as the bucket gives

TRUSTED_KEYS_MAX = 2  # the one in use and the one that follows it; each has a table of 3 KB in the heap
REVOKED_TOKENS_KEPT = 64  # 768 bytes in every snapshot; when full the signing key is due for rotation

# --- the link
OUTBOX_WINDOW = 8  # records sent ahead of the gateway's Ack
ACK_WAIT_MS = 30_000
KEEPALIVE_S = 30
PING_WAIT_MS = 10_000  # half-open links are noticed before the keepalive ends
CONNECT_WAIT_MS = 15_000
# How long after a loss a locker dials again: device/README.md has the reasons and the sums.
BACKOFF_FIRST_MS = 40_000  # anywhere in it: a broker that restarts gets 2.5 % of its lockers a second
BACKOFF_MS_MIN = 45_000  # then between these two: while nobody answers, 1.5 % of them ring each second,
BACKOFF_MS_MAX = 90_000  # and when somebody does, the last is back in time to agree within 120 s
BACKOFF_OFFLINE_MS = (20_000, 40_000)  # without a network of our own nobody else is rung
PRESENCE_MS = 5_000  # somebody at the panel makes it dial at once, this often
HEARTBEAT_MS = 60_000
DIAL_WAIT_MS = 30_000  # a connection that neither opens nor fails
LINK_STABLE_MS = 30_000  # up for less, and the next wait is the long one: one that accepts and drops is not hammered
INFLIGHT_MAX = 16  # publications without their PUBACK
PUBACK_WAIT_MS = 30_000  # a broker that takes bytes and acknowledges nothing
MQTT_TOPIC_SIZE_MAX = 64  # room for an incoming topic beside its payload
RESEND_PAUSE_MS = 2_000  # the same gap named by each of eight events is mended once
REFUSAL_PAUSE_MS = 1_000  # a stranger's rubbish must not make us talk
TIME_ANSWER_MS = 60_000  # a SetTime held back by the broker for longer would set the clock that much too late
CLOCK_SYNC_MS = 6 * 3_600_000  # a crystal drifts by seconds a day; a new birth asks for the time again
CLOCK_SKEW_S_MAX = 5  # a command may seem to come from this far ahead

# --- what sensors say
SUPPLY_LOW_MV = 9_600  # of the locks' supply, 80 % of 12 V: below, coils no longer pull
SUPPLY_BACK_MV = 10_200  # 85 %: back there the alarm ends, so that a value at the edge raises one and not a hundred

# --- the console
ACTOR_SIZE_MAX = 32  # kinds.WORD: it goes into the journal
CONSOLE_IDLE_MS = 600_000  # a technician who walked away is logged out
CONSOLE_HEAP_MIN = 12_000  # bytes free on the locker; with fewer a session would take what its customers need
SCAN_HEAP_MIN = 3_000  # the same for a scan of the buses; what asked for it goes when it begins
CONSOLE_HISTORY_MAX = 8  # lines kept while somebody sits there,
CONSOLE_HISTORY_LINE_MAX = 80  # if they are no longer than this
CONSOLE_GONE_MS = 60_000  # nobody is logged in or types: the desk is cleared away, and its room given back
DOOR_PUSH_WAIT_MS = 60_000  # how long a selftest or a calibration waits for somebody to push a door shut
CALIBRATION_CYCLES = 3
CALIBRATION_CYCLES_MAX = 10  # a coil bears 20 pulses a minute
FINDINGS_MAX = 20  # in the answer to one selftest; the lines for people name all
HEAP_FREE_MIN = 4_000  # below that selftest says so: the next snapshot may not fit
