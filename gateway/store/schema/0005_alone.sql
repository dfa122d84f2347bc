-- What a locker did while it was alone. No personal field.

-- 0: taken in without an announcement; the announcement that comes later completes it.
ALTER TABLE parcels ADD COLUMN announced INTEGER NOT NULL DEFAULT 1;
-- 1: that it lies there is known from the locker's receipt; its events are still to come.
ALTER TABLE parcels ADD COLUMN by_receipt INTEGER NOT NULL DEFAULT 0;

-- How many receipts of a carrier were wrong since then (limits.RECEIPT_GUESSES_MAX): its digits can be tried.
CREATE TABLE receipt_guesses (
  carrier TEXT PRIMARY KEY,
  wrong INTEGER NOT NULL,
  since_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Since when a waiting parcel's days stand still: its locker has not been heard since then, or its door failed then.
ALTER TABLE parcels ADD COLUMN paused_s INTEGER;
CREATE INDEX parcels_paused ON parcels (locker, compartment) WHERE paused_s IS NOT NULL;
CREATE INDEX compartments_at_fault ON compartments (locker, number)
  WHERE (quarantined OR out_of_service OR door IN ('jammed', 'faulty', 'forced', 'out_of_service'));
