-- Which signing keys there are, and which locker believes which. Public halves and ids only: no key is in any column.

-- Tells the master key that these books go with from any other: a MAC of a constant, which leads back to nothing.
CREATE TABLE key_checks (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
  kid BLOB PRIMARY KEY,
  public_key BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('current', 'next', 'old', 'dropped', 'lost')),
  introduced_by BLOB,
  introduction BLOB,
  signs_s INTEGER,
  signed_s INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_signing_key_of_a_state ON signing_keys (state) WHERE state IN ('current', 'next', 'old');

CREATE TABLE locker_keys (
  locker TEXT NOT NULL REFERENCES lockers (id),
  kid BLOB NOT NULL,
  since_s INTEGER NOT NULL,
  PRIMARY KEY (locker, kid)
) STRICT, WITHOUT ROWID;

-- Trust is command type 26: has one been refused lately?
CREATE INDEX trust_commands ON commands (locker, issued_s) WHERE type = 26;
