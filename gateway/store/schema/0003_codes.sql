-- Codes re-issued, delegated and taken back. Still no code, token or key in any column: ids and numbers only.

-- Which parcel had this deposit number before a re-issue gave it another one. Purpose: word of the old number that
-- comes late (a journal that lost its end) is still about that parcel. No personal field.
CREATE TABLE former_deposits (
  locker TEXT NOT NULL,
  compartment INTEGER NOT NULL,
  deposit INTEGER NOT NULL,
  parcel INTEGER NOT NULL REFERENCES parcels (number),
  PRIMARY KEY (locker, compartment, deposit)
) STRICT, WITHOUT ROWID;

-- The delegation whose token opened the parcel's door last; NULL: the recipient's own code. An id, no name.
ALTER TABLE parcels ADD COLUMN delegation BLOB;

-- Whom a recipient sends instead. Purpose of `name`: to tell one's delegations apart, to take the right one back and
-- to know who collected. It is never sent to a locker. Kept, like recipients, until 30 days after the parcel left
-- (left_s; limits.RECIPIENT_KEPT_S); then the row is deleted. The token itself is shown once and kept nowhere.
CREATE TABLE delegations (
  position INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  parcel INTEGER NOT NULL REFERENCES parcels (number),
  name TEXT NOT NULL,
  made_s INTEGER NOT NULL,
  expiry_s INTEGER NOT NULL,
  used_s INTEGER,
  revoked_s INTEGER,
  ended_s INTEGER,
  revocation INTEGER,
  left_s INTEGER
) STRICT;

CREATE INDEX delegations_of_parcel ON delegations (parcel, position);
CREATE INDEX delegations_by_leaving ON delegations (left_s) WHERE left_s IS NOT NULL;

-- A technician's badge has no carrier (''); locker: the only one it is good on, NULL: all.
ALTER TABLE badges ADD COLUMN role TEXT NOT NULL DEFAULT 'courier';
ALTER TABLE badges ADD COLUMN locker TEXT;
CREATE INDEX badges_revoked ON badges (expiry_s) WHERE revoked_s IS NOT NULL;

-- Which locker has still to take back which badge. done_s: its TokenRevoked has come; retry_s: to be ordered anew
-- then (NULL: an order is under way, or it is done). Token ids only; dropped when the token has expired by itself.
CREATE TABLE token_revocations (
  token BLOB NOT NULL,
  locker TEXT NOT NULL REFERENCES lockers (id),
  expiry_s INTEGER NOT NULL,
  done_s INTEGER,
  retry_s INTEGER,
  PRIMARY KEY (token, locker)
) STRICT, WITHOUT ROWID;

CREATE INDEX token_revocations_due ON token_revocations (retry_s) WHERE retry_s IS NOT NULL;
CREATE INDEX token_revocations_by_expiry ON token_revocations (expiry_s);

-- Badges revoked before lockers could be told.
INSERT INTO token_revocations (token, locker, expiry_s, retry_s)
  SELECT b.id, l.id, b.expiry_s, 0 FROM badges b CROSS JOIN lockers l WHERE b.revoked_s IS NOT NULL AND l.generation > 0;

-- The sender's own number for the recipient. Purpose: several parcels of one person open one after the other. Kept
-- like the other fields of its row.
ALTER TABLE recipients ADD COLUMN ref TEXT;
CREATE INDEX recipients_by_ref ON recipients (ref) WHERE ref IS NOT NULL;

-- The group of deposits that one recipient opens in turn, as ordered; joined: the locker has said so. Random numbers.
ALTER TABLE parcels ADD COLUMN joined_group INTEGER;
ALTER TABLE parcels ADD COLUMN joined INTEGER NOT NULL DEFAULT 0;
CREATE INDEX parcels_joined ON parcels (locker, joined_group) WHERE joined_group IS NOT NULL;
