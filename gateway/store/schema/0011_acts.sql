-- What people do on the operator's pages: who looks after an alarm, who asked for a door, and the log of acts.
-- No personal field: `made_by` is the name of a key, and says whose key acted, not which person.

-- `owner`: the name of the key of whoever looks after it. `snoozed_s`: it is listed last until then.
ALTER TABLE alarms ADD COLUMN owner TEXT;
ALTER TABLE alarms ADD COLUMN owned_s INTEGER;
ALTER TABLE alarms ADD COLUMN snoozed_s INTEGER;
CREATE INDEX alarms_open ON alarms (id) WHERE cleared_s IS NULL;
CREATE INDEX alarms_by_raising ON alarms (raised_s, kind);

-- An occupied compartment that somebody wants open. Another key's word is needed before `until_s`; then the order is
-- an operation. One live request for a door. `deposit`: what lay in it then; what came later was not asked for.
CREATE TABLE openings (
  number INTEGER PRIMARY KEY,
  locker TEXT NOT NULL,
  compartment INTEGER NOT NULL,
  deposit INTEGER NOT NULL,
  reason TEXT NOT NULL,
  made_by TEXT NOT NULL,
  credential INTEGER NOT NULL,
  made_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL,
  ended_s INTEGER,
  confirmed_by TEXT,
  confirmed_credential INTEGER,
  operation INTEGER,
  FOREIGN KEY (locker, compartment) REFERENCES compartments (locker, number)
) STRICT;

CREATE UNIQUE INDEX live_opening ON openings (locker, compartment) WHERE ended_s IS NULL;

-- Append-only: what people did, by the API or on the pages.
CREATE TABLE acts (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  made_by TEXT NOT NULL,
  credential INTEGER,
  locker TEXT,
  compartment INTEGER,
  parcel INTEGER,
  operation INTEGER,
  reason TEXT NOT NULL,
  made_s INTEGER NOT NULL
) STRICT;

CREATE INDEX acts_of_locker ON acts (locker, id) WHERE locker IS NOT NULL;
CREATE INDEX acts_of_parcel ON acts (parcel, id) WHERE parcel IS NOT NULL;

-- Looking for parcels, and counting them. The events have no index of their own on purpose (0001_books.sql).
CREATE INDEX parcels_by_label ON parcels (label, position);
CREATE INDEX parcels_of_locker ON parcels (locker, position);
-- Of an expression, so that no other question takes it: the clockwork's have partial indexes, which hold much less.
CREATE INDEX parcels_of_state ON parcels (state || '', position);
CREATE INDEX parcels_by_deposit ON parcels (deposited_s, locker, state, ended_s) WHERE deposited_s IS NOT NULL;
CREATE INDEX operations_of_parcel ON operations (parcel) WHERE parcel IS NOT NULL;
CREATE INDEX operations_of_place ON operations (locker, compartment, made_s);
