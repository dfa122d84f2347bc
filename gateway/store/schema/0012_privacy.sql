-- Personal data ends by itself, or when somebody asks. Which column is personal, why, and for how long:
-- gateway/domain/personal.py, which a test compares with these tables.

-- A recipient whose data is to be erased. Waits while the parcel is under way; erased_s: no row holds it any more;
-- done_s: nor does any byte of the files. No personal field: a parcel's number, which then leads to nobody.
CREATE TABLE erasures (
  parcel INTEGER PRIMARY KEY REFERENCES parcels (number),
  asked_s INTEGER NOT NULL,
  erased_s INTEGER,
  done_s INTEGER
) STRICT;

CREATE INDEX erasures_waiting ON erasures (parcel) WHERE erased_s IS NULL;
CREATE INDEX erasures_unfinished ON erasures (parcel) WHERE erased_s IS NOT NULL AND done_s IS NULL;
CREATE INDEX erasures_by_end ON erasures (done_s) WHERE done_s IS NOT NULL;

-- When a recipient was announced: a parcel that never comes does not keep its recipient for ever.
ALTER TABLE recipients ADD COLUMN made_s INTEGER NOT NULL DEFAULT 0;
UPDATE recipients SET made_s = (SELECT expected_s FROM parcels WHERE number = recipients.parcel);
CREATE INDEX recipients_waiting ON recipients (made_s) WHERE ended_s IS NULL;

-- What the timers ask, each in the order in which it falls due.
CREATE INDEX parcels_low ON parcels (ended_s) WHERE accessible AND ended_s IS NOT NULL;
CREATE INDEX parcels_labelled ON parcels (ended_s) WHERE label <> '*' AND ended_s IS NOT NULL;
CREATE INDEX operations_by_end ON operations (ended_s) WHERE ended_s IS NOT NULL;
CREATE INDEX alarms_by_end ON alarms (cleared_s) WHERE cleared_s IS NOT NULL;
CREATE INDEX openings_by_end ON openings (until_s);
CREATE INDEX reports_by_closing ON reports (closed_s) WHERE closed_by IS NOT NULL;
CREATE INDEX badges_by_end ON badges (expiry_s);
CREATE INDEX credentials_by_end ON credentials (revoked_s) WHERE revoked_s IS NOT NULL;
