"""The gateway's own limits, named, with what each protects against. What both sides share: protocol.limits."""

# --- the broker
BROKER_QUEUE_BYTES_MAX = 256 * 1024 * 1024  # what waits for a gateway that is away must not eat the machine
BROKER_QUEUE_MESSAGES_MAX = 1_000_000
BROKER_INFLIGHT_MAX = 65_535  # the default of 20 loses acknowledged messages in a burst
BROKER_PACKET_SIZE_MAX = 8_192  # a length in a header must not make the broker allocate 256 MB
BROKER_BACKOFF_S_MIN = 0.2  # a broker that dies at once is not restarted in a tight loop
BROKER_BACKOFF_S_MAX = 10.0
BROKER_START_S_MAX = 10.0  # from start to a listening port
BROKER_STOP_S_MAX = 5.0  # then it is killed
BROKER_SESSION_EXPIRY_S = 600  # how long it keeps messages for a gateway that is away

# --- the MQTT lap
RECEIVE_MAXIMUM = 65_535  # MQTT 5: messages the broker may have outstanding with us
READ_SIZE = 128 * 1024  # taken from the socket in a lap: about 700 events in one transaction, at most
PUBLISH_OUTSTANDING_MAX = 30_000  # under half of all packet ids, so that a free one is always near
PUBLISH_WAITING_MAX = 10_000  # answers a slow broker has not taken yet; then nothing more is taken from it
UNSENT_BYTES_MAX = 4 * 1024 * 1024
PAYLOAD_SIZE_MAX = 1_024 + 64  # an envelope and its MAC; larger is refused before its MAC costs any time
CONNECT_WAIT_S = 10.0
RECONNECT_S_MIN = 0.1
RECONNECT_S_MAX = 5.0
SESSION_S_MIN = 0.5  # two gateways that take one name from each other shall not do it in a tight loop
KEEPALIVE_S = 30
TAKE_UP_RETRY_S = 1.0  # after the database refused a batch: the messages stay with the broker
STRANGER_LOG_EVERY_S = 60.0  # one line a minute for each locker id nobody registered
LOCKERS_CACHED_MAX = 20_000  # keys worked out and kept ready

# --- commands
OUTBOX_BATCH_MAX = 500
OUTBOX_LOOK_S = 1.0  # the outbox is looked at this often even when nobody woke us
LINK_COMMAND_TTL_S = 60
EXPIRY_LOOK_S = 5.0
PROVISIONING_PAUSE_S = 0.1  # many acts in a row shall not each rewrite the broker's passwords

# --- start and stop
HTTP_START_S_MAX = 10.0
HTTP_STOP_S_MAX = 3  # for requests under way; an event stream would never end by itself
HTTP_BACKLOG = 1_024

# --- the HTTP API
HTTP_BODY_SIZE_MAX = 256 * 1024  # the largest locker (400 compartments) described in JSON, and a half more
HTTP_BODY_WAIT_S = 10.0  # a caller that dribbles its body must not hold a connection for ever
FORM_FIELDS_MAX = 50  # a form of ours has ten at the most
PATH_SIZE_MAX = 200
SESSION_S = 86_400  # signed in on the pages
PAGE_SIZE = 50
IDEMPOTENCY_KEY_SIZE_MAX = 255
SECRET_SIZE_MAX = 200  # a bearer secret, before it costs a look-up
CURSOR_SIZE_MAX = 64

# --- the books: what is ordered of lockers
TTL_OPEN_S = 60  # nobody waits longer before a door, and a delayed order must not open one
TTL_ANSWER_S = 60  # Assign and Decline answer a courier who stands there
TTL_STANDING_S = 86_400  # Release, Revoke, OutOfService: true until carried out, ordered anew when they run out
ASSIGN_GRACE_S = 30  # a result may still be on its way when an Assign runs out
LOCKER_ALIVE_S = 180  # three heartbeats: a locker that said nothing for longer is offered to nobody
DEADLINE_LEFT_S_MIN = 86_400  # after an outage: nobody finds a parcel gone on the morning that its locker is back
TRUST_AGAIN_S = 600  # a locker that refused to believe a signing key is asked again, but not in a loop
REVOCATION_RETRY_S = 600  # a locker that could not take a token back is asked again, but not in a loop
REVOCATION_NO_ROOM_RETRY_S = 86_400  # its list empties as tokens expire
EXPIRIES_PER_ROUND_MAX = 500  # one round of the timer must not hold the books for long

# --- the books: receipts
RECEIPT_DEPOSITS_AHEAD_MAX = 16  # of a compartment, while its locker is away; each one more is one more guess
RECEIPT_GUESSES_MAX = 20  # wrong digits of a carrier in this time: eight digits of proof can be tried
RECEIPT_GUESSES_S = 86_400

# --- the books: what is described to us
MODULES_MAX = 20
COMPARTMENTS_PER_MODULE_MAX = 20
MM_MAX = 3_000  # a typing error must not make a compartment of three kilometres
NAME_SIZE_MAX = 80
MAIL_SIZE_MAX = 254  # RFC 5321 4.5.3.1.3
PHONE_SIZE_MAX = 32
TENANT_SIZE_MAX = 32  # it travels as a WORD on the wire
DELEGATIONS_OPEN_MAX = 5  # of a parcel: the locker remembers few revoked ones
DELEGATIONS_MAX = 20  # of a parcel, those that ended too: made and revoked in a loop they would fill the locker
OPENING_WAITS_S = 600  # the second person stands there and looks; an old request opens nothing
RECIPIENT_REF_SIZE_MAX = 64
REASON_SIZE_MAX = 32  # likewise
BADGE_DAYS_MAX = 400  # a lost badge ends by itself
TECHNICIAN_DAYS_MAX = 90  # what it opens is every door
HEAVY_BOTTOM_MM_MIN = 400  # the band in which people can lift
HEAVY_BOTTOM_MM_MAX = 1_200
PAGE_SIZE_MAX = 200  # rows of one answer
NAMES_TOLD_MAX = 20  # lockers named in a sentence; the list holds all of them

# --- the pages of the operator and of merchants
FLEET_ROWS_MAX = 500  # lockers on one page; beyond that the ones in trouble are still first
SCANNED_EVENTS_MAX = 20_000  # the log has no index but its order: one page never reads more of it than this
HISTORY_MAX = 20  # events and orders of one door on its page; the log has all of them
HISTORY_OF_LOCKER_MAX = 200  # of its locker's latest events, in which that door's are looked for
TIMELINE_MAX = 100  # steps of one parcel
SEARCH_SIZE_MAX = 64  # letters looked for
USE_DAYS = 28  # whole weeks: a weekday counts as often as any other
SNOOZE_HOURS = (1, 4, 24)
EXPORTED_MAX = 10_000  # rows of one CSV
GENERATED_LABEL_DIGITS = 10  # 50 random bits: two labels of a carrier never meet

# --- the books: keeping
RECIPIENT_KEPT_S = 30 * 86_400  # after the parcel left: complaints, then the personal fields are erased
BUSY_WAIT_MS = 5_000  # a backup tool may hold the file for a moment
CHECKPOINT_PAGES = 8_000  # 32 MB of write-ahead log: SQLite's own 1,000 halve the events a second
