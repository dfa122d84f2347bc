-- What recipients do on their page, and what they see there of the place.

-- Where a locker stands, when one gets in, whom to ask. hours: JSON, language -> text. The phone and mail are those of
-- a service, shown to every recipient.
CREATE TABLE sites (
  locker TEXT PRIMARY KEY REFERENCES lockers (id),
  address TEXT NOT NULL,
  hours TEXT NOT NULL,
  phone TEXT NOT NULL,
  mail TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A parcel that was extended: once.
CREATE TABLE extensions (
  parcel INTEGER PRIMARY KEY REFERENCES parcels (number),
  made_s INTEGER NOT NULL
) STRICT;

-- What a recipient told of a parcel. found: the parcel's state as it was. after_event: evidence is what the log holds
-- from there on. words: personal. Purpose: to find out what happened. Kept, like recipients, until 30 days after the
-- parcel left (left_s; limits.RECIPIENT_KEPT_S); then the words are erased, and the report stays.
CREATE TABLE reports (
  ticket INTEGER PRIMARY KEY,
  number INTEGER NOT NULL UNIQUE,
  parcel INTEGER NOT NULL REFERENCES parcels (number),
  kind TEXT NOT NULL,
  found TEXT NOT NULL,
  locker TEXT NOT NULL,
  compartment INTEGER,
  deposit INTEGER,
  made_s INTEGER NOT NULL,
  after_event INTEGER NOT NULL,
  words TEXT,
  left_s INTEGER,
  closed_s INTEGER,
  closed_by TEXT,
  closing TEXT
) STRICT;

CREATE INDEX reports_of_parcel ON reports (parcel, ticket);
CREATE INDEX reports_open ON reports (locker, after_event) WHERE closed_s IS NULL;
CREATE INDEX reports_by_leaving ON reports (left_s) WHERE left_s IS NOT NULL AND words IS NOT NULL;

-- Whoever thins out the log one day: the evidence of an open report stays.
CREATE TRIGGER evidence_stays BEFORE DELETE ON events
WHEN EXISTS (SELECT 1 FROM reports r WHERE r.locker = OLD.locker AND r.after_event < OLD.id AND r.closed_s IS NULL)
BEGIN
  SELECT RAISE(IGNORE);
END;
