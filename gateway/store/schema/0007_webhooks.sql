-- Who is told of parcels, and what has still to be told. No secret: it follows from the master key and the salt.

CREATE TABLE webhooks (
  number INTEGER PRIMARY KEY,
  role TEXT NOT NULL,
  tenant TEXT NOT NULL,
  url TEXT NOT NULL,
  types TEXT NOT NULL,
  description TEXT NOT NULL,
  salt BLOB NOT NULL,
  old_salt BLOB,
  old_until_s INTEGER,
  made_s INTEGER NOT NULL,
  disabled_s INTEGER,
  failing_since_s INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  hold_until_s INTEGER NOT NULL DEFAULT 0,
  delivered_s INTEGER,
  failed_s INTEGER,
  failure TEXT
) STRICT;

CREATE INDEX webhooks_of_tenant ON webhooks (role, tenant) WHERE disabled_s IS NULL;

-- One row per webhook and event, in the order in which they happened; it goes when it was delivered. The body has no
-- personal field. due_s NULL: an earlier event of its parcel has to go first, so that a long queue costs no search.
-- given_up_s: nobody took it in time; kept for limits.WEBHOOK_GIVEN_UP_KEPT_S.
CREATE TABLE deliveries (
  position INTEGER PRIMARY KEY,
  webhook INTEGER NOT NULL REFERENCES webhooks (number) ON DELETE CASCADE,
  event TEXT NOT NULL,
  parcel INTEGER NOT NULL,
  body BLOB NOT NULL,
  since_s INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  due_s INTEGER,
  given_up_s INTEGER
) STRICT;

CREATE UNIQUE INDEX delivery_of_event ON deliveries (webhook, event);
CREATE INDEX deliveries_due ON deliveries (webhook, due_s, position)
  WHERE given_up_s IS NULL AND due_s IS NOT NULL;
CREATE INDEX deliveries_in_order ON deliveries (webhook, parcel, position);
CREATE INDEX deliveries_by_end ON deliveries (webhook, given_up_s);

-- Counted where it changes: a scrape of the metrics must not walk through every parcel that ever was.
CREATE TABLE tallies (
  name TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO tallies (name, count) SELECT 'parcels_' || state, count(*) FROM parcels GROUP BY state;
INSERT INTO tallies (name, count) SELECT 'deposits', count(deposited_s) FROM parcels;
INSERT INTO tallies (name, count) SELECT 'pickups', count(*) FROM parcels WHERE state = 'collected';
