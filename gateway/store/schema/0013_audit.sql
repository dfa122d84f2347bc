-- The log of acts becomes a chain (gateway/domain/audit.py): each row's `hash` covers the row before it. `actor` and
-- `about` are who did it and what it was about, salted and hashed, so that the chain still holds when a person is
-- erased from the readable columns and the salt is gone.
ALTER TABLE acts ADD COLUMN actor BLOB;
ALTER TABLE acts ADD COLUMN about BLOB;
ALTER TABLE acts ADD COLUMN hash BLOB;
CREATE INDEX acts_by_actor ON acts (made_by);

-- One salt for a parcel's people, one for each name of a key. A salt without an act is dropped.
CREATE TABLE salts (
  id INTEGER PRIMARY KEY,
  parcel INTEGER UNIQUE,
  actor TEXT UNIQUE,
  salt BLOB NOT NULL,
  made_s INTEGER NOT NULL
) STRICT;

CREATE INDEX salts_by_age ON salts (made_s);

-- Where the chain begins (`after`: the last act that is not in it, because it is older than the chain or was dropped
-- at its term) and where it ends.
CREATE TABLE chain (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  after_id INTEGER NOT NULL,
  after_hash BLOB NOT NULL,
  head_id INTEGER NOT NULL,
  head_hash BLOB NOT NULL
) STRICT;

INSERT INTO chain (one, after_id, after_hash, head_id, head_hash)
  SELECT 1, coalesce(max(id), 0), zeroblob(32), coalesce(max(id), 0), zeroblob(32) FROM acts;
