-- The books. No code, token or key is in any column; a credential is there as the SHA-256 of its 256-bit secret.
-- Times are Unix seconds. "live" rows have ended_s NULL.

CREATE TABLE lockers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  code_digits INTEGER NOT NULL,
  generation INTEGER NOT NULL DEFAULT 0,
  boot INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,
  online INTEGER NOT NULL DEFAULT 0,
  seen_s INTEGER,
  firmware TEXT NOT NULL DEFAULT '',
  made_s INTEGER NOT NULL,
  birth_seq INTEGER,
  birth_doors BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE compartments (
  locker TEXT NOT NULL REFERENCES lockers (id),
  number INTEGER NOT NULL,
  module TEXT NOT NULL,
  size TEXT NOT NULL CHECK (size IN ('S', 'M', 'L')),
  width_mm INTEGER NOT NULL,
  height_mm INTEGER NOT NULL,
  depth_mm INTEGER NOT NULL,
  x_mm INTEGER NOT NULL,
  bottom_mm INTEGER NOT NULL,
  accessible INTEGER NOT NULL,
  door TEXT NOT NULL DEFAULT 'unknown',
  holding INTEGER NOT NULL DEFAULT 0,
  deposit INTEGER NOT NULL DEFAULT 0,
  quarantined INTEGER NOT NULL DEFAULT 0,
  out_of_service INTEGER NOT NULL DEFAULT 0,
  cycles INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (locker, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE parcels (
  number INTEGER PRIMARY KEY,
  position INTEGER NOT NULL UNIQUE,
  label TEXT NOT NULL,
  locker TEXT NOT NULL REFERENCES lockers (id),
  size TEXT NOT NULL CHECK (size IN ('S', 'M', 'L')),
  carrier TEXT NOT NULL,
  merchant TEXT NOT NULL,
  accessible INTEGER NOT NULL,
  heavy INTEGER NOT NULL,
  state TEXT NOT NULL,
  expected_s INTEGER NOT NULL,
  compartment INTEGER,
  deposit INTEGER,
  deposited_s INTEGER,
  deadline_s INTEGER,
  ended_s INTEGER
) STRICT;

-- A label names one parcel of its carrier at a time; once that one has ended it may come again.
CREATE UNIQUE INDEX parcel_of_label ON parcels (carrier, label) WHERE ended_s IS NULL;
CREATE INDEX parcels_of_carrier ON parcels (carrier, position);
CREATE INDEX parcels_of_merchant ON parcels (merchant, position);
CREATE INDEX parcels_by_deadline ON parcels (deadline_s) WHERE state = 'deposited';
CREATE INDEX parcels_expired ON parcels (number) WHERE state = 'expired';
CREATE INDEX parcels_at ON parcels (locker, compartment, deposit) WHERE compartment IS NOT NULL;

-- The only table with personal fields. Purpose: to tell the recipient that and where the parcel waits. Kept until
-- 30 days after the parcel left (ended_s; limits.RECIPIENT_KEPT_S), for complaints; then the row is deleted.
CREATE TABLE recipients (
  parcel INTEGER PRIMARY KEY REFERENCES parcels (number),
  name TEXT,
  mail TEXT,
  phone TEXT,
  ended_s INTEGER
) STRICT;

CREATE INDEX recipients_by_end ON recipients (ended_s) WHERE ended_s IS NOT NULL;

-- One live allocation per compartment and per parcel, whoever asks: also when a use case forgot to look.
-- until_s: when a reservation runs out; NULL once the parcel lies there.
CREATE TABLE allocations (
  id INTEGER PRIMARY KEY,
  parcel INTEGER NOT NULL REFERENCES parcels (number),
  locker TEXT NOT NULL,
  compartment INTEGER NOT NULL,
  made_s INTEGER NOT NULL,
  until_s INTEGER,
  ended_s INTEGER,
  FOREIGN KEY (locker, compartment) REFERENCES compartments (locker, number)
) STRICT;

CREATE UNIQUE INDEX live_allocation_of_compartment ON allocations (locker, compartment) WHERE ended_s IS NULL;
CREATE UNIQUE INDEX live_allocation_of_parcel ON allocations (parcel) WHERE ended_s IS NULL;
CREATE INDEX allocations_of_parcel ON allocations (parcel, id);
CREATE INDEX reservations_by_end ON allocations (until_s) WHERE ended_s IS NULL AND until_s IS NOT NULL;

CREATE TABLE operations (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  locker TEXT NOT NULL,
  compartment INTEGER NOT NULL,
  parcel INTEGER,
  reason TEXT NOT NULL,
  made_by TEXT NOT NULL,
  state TEXT NOT NULL,
  code TEXT,
  made_s INTEGER NOT NULL,
  ended_s INTEGER
) STRICT;

CREATE INDEX running_operations ON operations (locker, compartment) WHERE ended_s IS NULL;

-- The outbox. A row is finished by the locker's result, or by its time running out.
CREATE TABLE commands (
  position INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  locker TEXT NOT NULL,
  type INTEGER NOT NULL,
  fields BLOB NOT NULL,
  issued_s INTEGER NOT NULL,
  ttl_s INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  code INTEGER,
  operation INTEGER,
  parcel INTEGER,
  compartment INTEGER
) STRICT;

CREATE INDEX waiting_commands ON commands (position) WHERE state = 'waiting';
CREATE INDEX unfinished_commands ON commands (locker, position) WHERE state IN ('waiting', 'sent');
CREATE INDEX commands_by_end ON commands (issued_s + ttl_s) WHERE state IN ('waiting', 'sent');
CREATE INDEX commands_of_parcel ON commands (parcel, type) WHERE parcel IS NOT NULL;

-- A courier's request and the command that answers it: asked again, it gets the same answer.
CREATE TABLE deposit_requests (
  locker TEXT NOT NULL,
  boot INTEGER NOT NULL,
  request INTEGER NOT NULL,
  command BLOB NOT NULL,
  asked_s INTEGER NOT NULL,
  PRIMARY KEY (locker, boot, request)
) STRICT, WITHOUT ROWID;

CREATE INDEX deposit_requests_by_age ON deposit_requests (asked_s);

-- Append-only, and without an index on (locker, seq) on purpose: lockers.last_seq refuses repeats, at a third of
-- the cost. fields: the message's fields as CBOR, in wire order.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  locker TEXT NOT NULL,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  type INTEGER NOT NULL,
  t_mono_ms INTEGER NOT NULL,
  t_wall_s INTEGER,
  taken_s INTEGER NOT NULL,
  fields BLOB NOT NULL,
  parcel INTEGER
) STRICT;

-- What a person has to look at. compartment 0: the locker as a whole.
CREATE TABLE alarms (
  id INTEGER PRIMARY KEY,
  locker TEXT NOT NULL,
  compartment INTEGER NOT NULL,
  kind TEXT NOT NULL,
  parcel INTEGER,
  raised_s INTEGER NOT NULL,
  cleared_s INTEGER
) STRICT;

CREATE UNIQUE INDEX open_alarm ON alarms (locker, compartment, kind) WHERE cleared_s IS NULL;

CREATE TABLE credentials (
  number INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  role TEXT NOT NULL,
  tenant TEXT NOT NULL,
  scopes TEXT NOT NULL,
  name TEXT NOT NULL,
  made_s INTEGER NOT NULL,
  revoked_s INTEGER
) STRICT;

CREATE TABLE badges (
  id BLOB PRIMARY KEY,
  carrier TEXT NOT NULL,
  holder TEXT NOT NULL,
  made_s INTEGER NOT NULL,
  expiry_s INTEGER NOT NULL,
  revoked_s INTEGER
) STRICT, WITHOUT ROWID;
