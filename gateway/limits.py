"""The gateway's own limits, named, with what each protects against. What both sides share: protocol.limits."""

# --- the broker
BROKER_QUEUE_BYTES_MAX = 256 * 1024 * 1024  # what waits for a gateway that is away must not eat the machine
BROKER_QUEUE_MESSAGES_MAX = 1_000_000
BROKER_INFLIGHT_MAX = 65_535  # the default of 20 loses acknowledged messages in a burst
BROKER_PACKET_SIZE_MAX = 8_192  # a length in a header must not make the broker allocate 256 MB
BROKER_BACKOFF_S_MIN = 0.2  # a broker that dies at once is not restarted in a tight loop
BROKER_BACKOFF_S_MAX = 10.0
BROKER_START_S_MAX = 30.0  # from start to a listening port, on a small machine that has just started itself
BROKER_STOP_S_MAX = 5.0  # then it is killed
BROKER_SESSION_EXPIRY_S = 600  # how long it keeps messages for a gateway that is away
BROKER_CA_DAYS = 7_300  # as long as a locker stands: a new one has to be brought to each
BROKER_CA_SOON_DAYS = 730  # what it has left when a town is told: the next one is brought by hand to each locker
BROKER_CERTIFICATE_DAYS = 397  # a stolen server key serves its thief for so long at the most
BROKER_CERTIFICATE_RENEWED_DAYS = 60  # before its end: a gateway that is away for a holiday comes back in time
BROKER_NAMES_MAX = 8  # a certificate has to fit what a locker reads at once
HOST_SIZE_MAX = 64  # of a host name that a locker dials

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
HTTP_STOP_S_MAX = 3  # for requests under way
HTTP_BACKLOG = 1_024

# --- the HTTP API
HTTP_BODY_SIZE_MAX = 256 * 1024  # the largest locker (400 compartments) described in JSON, and a half more
HTTP_BODY_WAIT_S = 10.0  # a caller that dribbles its body must not hold a connection for ever
FORM_FIELDS_MAX = 50  # a form of ours has ten at the most
HTTP_HEAD_WAIT_S = 15.0  # a caller that dribbles its head or is silent must not either (gateway/connections.py)
HTTP_CONNECTIONS_MAX = 1_000  # each costs a file and some KB; then whoever has been silent longest goes
HTTP_CONNECTIONS_OF_ADDRESS_MAX = 250  # a depot's people behind one address; a proxy has all of them
HTTP_ACCEPTED_AT_ONCE = 100  # files opened before the first of them can be closed again
HTTP_UNSENT_BYTES = 64 * 1024  # of an answer with the kernel, else 4 MB hide whether its caller takes any of it
FILES_KEPT = 256  # of the files that the process may open: books, broker, letters, webhooks, and those just accepted
CROWD_LOG_EVERY_S = 60.0  # no line for each connection of a flood
PATH_SIZE_MAX = 200
SESSION_S = 86_400  # signed in on the pages
PAGE_SIZE = 50
IDEMPOTENCY_KEY_SIZE_MAX = 255
SECRET_SIZE_MAX = 200  # a bearer secret, before it costs a look-up
CURSOR_SIZE_MAX = 64
METRICS_KEPT_S = 5.0  # a scrape more often than this gets the same numbers, and costs nothing

# --- how often one may ask (gateway/rates.py)
KEY_REQUESTS_PER_S = 100  # of one key, on average: a client in a loop must not take the books from lockers and others
KEY_SAVED_S = 20  # so many seconds' worth may come at once: a carrier's whole evening
STRANGER_REQUESTS_PER_S = 10  # of one address without a good key: what it costs is a look-up and a line of the log
STRANGER_REQUESTS_AT_ONCE = 200  # a whole depot behind one address signs in at seven
RATE_NAMES_MAX = 10_000  # buckets kept: an address costs an attacker nothing

# --- event streams
STREAMS_MAX = 200  # of all keys: each holds a connection and a page of events
STREAMS_OF_CREDENTIAL_MAX = 4  # a client that opens and never closes must not take everyone's places
STREAM_LOOK_S = 1.0  # the books are looked at this often, once for all streams
STREAM_HEARTBEAT_S = 15.0  # proxies cut what is silent for longer
STREAM_S_MAX = 6 * 3_600.0  # then it ends, and its listener comes again: half-open connections do not pile up

# --- the books: what is ordered of lockers
TTL_OPEN_S = 60  # nobody waits longer before a door, and a delayed order must not open one
TTL_ANSWER_S = 60  # Assign and Decline answer a courier who stands there
TTL_STANDING_S = 86_400  # Release, Revoke, OutOfService: true until carried out, ordered anew when they run out
ASSIGN_GRACE_S = 30  # a result may still be on its way when an Assign runs out
LOCKER_ALIVE_S = 180  # three heartbeats: a locker that said nothing for longer is offered to nobody
DEADLINE_LEFT_S_MIN = 86_400  # after an outage: nobody finds a parcel gone on the morning that its locker is back
TRUST_AGAIN_S = 600  # a locker that refused to believe a signing key is asked again, but not in a loop
GREETING_AGAIN_S = 600  # a locker that would not take a language (no clock yet) is asked again, but not in a loop
REVOCATION_RETRY_S = 600  # a locker that could not take a token back is asked again, but not in a loop
REVOCATION_NO_ROOM_RETRY_S = 86_400  # its list empties as tokens expire
EXPIRIES_PER_ROUND_MAX = 500  # one round of the timer must not hold the books for long

# --- the books: what sensors say
TEMPERATURE_DC_MIN = -200  # tenths of a degree inside: below it batteries and displays fail, locks freeze
TEMPERATURE_DC_MAX = 600  # above it electronics age fast, and parcels suffer
TEMPERATURE_SETTLED_DC = 50  # back by so much: a value at the edge must not raise an alarm a minute

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
ADDRESS_SIZE_MAX = 200
HOURS_SIZE_MAX = 300
HOURS_LANGUAGES_MAX = 20
PICKUP_DAYS_MAX = 60  # a parcel that waits for ever keeps a door from everybody
GUARANTEES_MAX = 10  # of a locker: each is looked at whenever a door is given
CONTRACTS_MAX = 2_000  # of all merchants: one page lists them, and each row is looked at
CONTRACTS_AT_ONCE_MAX = 20  # with a new key
CLAIMS_SHOWN_MAX = 200  # the newest: a merchant that announces what is not its own must not fill a page
GUARANTEED_PERCENT_MAX = 90  # of all tenants together: a town's locker stays open to everybody
REPORT_WORDS_SIZE_MAX = 500  # what happened, not a file
CLOSING_SIZE_MAX = 200
BADGE_DAYS_MAX = 400  # a lost badge ends by itself
TECHNICIAN_DAYS_MAX = 90  # what it opens is every door
HEAVY_BOTTOM_MM_MIN = 400  # the band in which people can lift
HEAVY_BOTTOM_MM_MAX = 1_200
PAGE_SIZE_MAX = 200  # rows of one answer
NAMES_TOLD_MAX = 20  # lockers named in a sentence; the list holds all of them

# --- letters to recipients
LETTERS_PER_ROUND_MAX = 50  # of a channel, and of what is found to be owed: a round must not hold the books for long
LETTERS_LOOK_S = 5.0  # what is due by time is looked for this often even when nobody woke us
LETTERS_PAUSE_S = 0.2  # a busy gateway wakes us at every commit
LETTERS_STOP_S_MAX = 5.0  # a provider that is slow must not hold up the end; its letter may come a second time
LETTER_AGAIN_S_MIN = 60  # before a letter is tried again
LETTER_AGAIN_S_MAX = 6 * 3_600  # each next time twice as long, up to here
LETTER_CHANNEL_AGAIN_S_MAX = 15 * 60  # a server that is down is not our letters' fault: they go soon after it is back
LETTER_NEWS_S_MAX = 3 * 86_400  # tried for so long; and what is over for longer is told to nobody
REMIND_BEFORE_S = 86_400
REMIND_QUIET_S = 12 * 3_600  # nobody is reminded of what they were told this very morning
PUBLIC_URL_SIZE_MAX = 100  # links have to fit a text message
SMTP_WAIT_S = 30.0  # for each answer of a mail server
SMS_WAIT_S = 30.0
SMS_ANSWER_SIZE_MAX = 64 * 1024  # a provider's answer is read for its id only
PROVIDER_ID_SIZE_MAX = 100
SMS_PLACE_SIZE_MAX = 60  # of a locker's name, so that the text fits

# --- the books: rounds
ROUND_LOCKERS_MAX = 200  # one page of lockers; nobody drives to more in a day
ROUND_PARCELS_MAX = 200  # of one kind at one locker: half of the largest locker, and one transaction
LOCKERS_WITH_ROOM_MAX = 5  # offered to whoever found no room
# --- what a recipient can do on the personal page
EXTENSION_S = 86_400  # once: a door that is kept serves nobody else
EXTENSION_BEFORE_S = 2 * 86_400  # nobody extends what still waits for days
EXTENSION_FREE_PERCENT_MIN = 10  # of the doors of that size, or less: the next parcels need them
NEW_CODES_MAX = 5  # of a parcel: each one is written to the locker's flash
REPORTS_MAX = 10  # of a parcel
REPORT_AFTER_S = 7 * 86_400  # of what was inside, after it was collected
EVIDENCE_BEFORE_S = 3_600  # events from before the deposit: the courier at the door
EVIDENCE_MAX = 500  # events shown with a report
STRANGERS_PER_MINUTE = 60  # wrong links, of everybody together: trying is slow, and right ones are not held up
# --- the pages of the operator and of merchants
FLEET_ROWS_MAX = 500  # lockers on one page; beyond that the ones in trouble are still first
SCANNED_EVENTS_MAX = 20_000  # the log has no index but its order: one page never reads more of it than this
HISTORY_MAX = 20  # events and orders of one door on its page; the log has all of them
HISTORY_OF_LOCKER_MAX = 200  # of its locker's latest events, in which that door's are looked for
TIMELINE_MAX = 100  # steps of one parcel
SEARCH_SIZE_MAX = 64  # letters looked for
OCCUPANCY_STEP_S = 6 * 3_600  # of the drawing of four weeks
OCCUPANCY_BEFORE_S = 90 * 86_400  # what was put in earlier lies nowhere any more, or is an alarm
USE_DAYS = 28  # whole weeks: a weekday counts as often as any other
SNOOZE_HOURS = (1, 4, 24)
EXPORTED_MAX = 10_000  # rows of one CSV
GENERATED_LABEL_DIGITS = 10  # 50 random bits: two labels of a carrier never meet

# --- the books: keeping
RECIPIENT_KEPT_S = 30 * 86_400  # after the parcel left: complaints, then the personal fields are erased
RECIPIENT_WAITS_S = 90 * 86_400  # of a parcel that was announced and never came
TRAIL_KEPT_S = 400 * 86_400  # who did what: claims about carriage end after a year, and a month to settle them
ANSWERS_KEPT_S = 86_400  # a caller that lost its answer asks again the same day
REQUESTS_KEPT_S = 7 * 86_400  # a broker that holds back a request for longer is answered anew
KEEPING_BATCH_MAX = 500  # rows of a kind in one round: what has piled up must not hold the books for long
SCRUB_EVERY_S = 6 * 3_600  # what was deleted leaves the files too, well within the day that is promised
SCRUB_PAUSE_S = 600  # erasures asked for in a row are scrubbed together: it rewrites the personal tables
SCRUB_WAIT_MS = 200  # for readers, while nobody can write; then it is tried again in the next round
FOUND_OF_A_PERSON_MAX = 200  # parcels of one address: a carrier's own, written into every order, must not erase all
AUDIT_BATCH = 1_000  # acts read at a time
AUDIT_WRONG_MAX = 20  # named; a chain rewritten as a whole must not make an answer of all of it
BUSY_WAIT_MS = 5_000  # a backup tool may hold the file for a moment
CHECKPOINT_PAGES = 8_000  # 32 MB of write-ahead log: SQLite's own 1,000 halve the events a second

# --- webhooks
WEBHOOK_URL_SIZE_MAX = 500
WEBHOOKS_OF_TENANT_MAX = 10  # each event is a row for each of them
WEBHOOKS_MAX = 1_000  # of all tenants: each is looked at every second
WEBHOOK_BODY_SIZE_MAX = 20_000  # Standard Webhooks: receivers take no more
WEBHOOK_S_MAX = 15.0  # for one try, from its name's look-up to the status: a receiver that dribbles holds nobody up
WEBHOOK_CONNECT_S_MAX = 5.0  # of one address, so that the next one gets its chance
WEBHOOK_ADDRESSES_MAX = 3  # tried in one try
WEBHOOKS_AT_ONCE_MAX = 64  # tries under way
WEBHOOKS_DOUBTFUL_AT_ONCE_MAX = 32  # of these to receivers that fail or are slow: half is free for the others
WEBHOOK_AT_ONCE_MAX = 4  # to one receiver; to one that fails or is slow: one
WEBHOOK_SLOW_S = 2.0
WEBHOOK_LOOK_S = 1.0  # the rows are looked at this often even when nobody woke us
# Threads in which names are looked up: a dead name server holds them for a while. As many of the API's own while
# webhooks are made: the others stay free for everybody.
WEBHOOK_LOOK_UPS_AT_ONCE_MAX = 8
WEBHOOK_HOLD_S_MIN = 5  # after a failure nothing more is sent there for so long, doubled each time
WEBHOOK_HOLD_S_MAX = 300
WEBHOOK_DOWN_FAILURES = 5  # in a row: it was down, so all that waits is due when it is back; fewer: one bad event
WEBHOOK_RETRY_AFTER_S_MAX = 6 * 3_600  # a slip in a receiver's Retry-After must not silence it for a year
WEBHOOK_AGE_S_MAX = 5 * 86_400  # an event that a dead receiver's queue kept from its tries ends too
WEBHOOK_GIVEN_UP_KEPT_S = 30 * 86_400  # then it cannot be asked for again
WEBHOOK_OVERLAP_HOURS = 24  # so long a former secret signs too
WEBHOOK_OVERLAP_HOURS_MAX = 7 * 24
WEBHOOK_STOP_S_MAX = 2.0  # tries under way at the end are cut off, and made again after the next start
