-- Letters to recipients. A row has no name, address, text or code: what it says is worked out from the books when it is
-- sent. provider_id: what a provider calls it, to ask there. Rows go with the recipient's row (limits.RECIPIENT_KEPT_S).

CREATE TABLE letters (
  id INTEGER PRIMARY KEY,
  parcel INTEGER NOT NULL REFERENCES parcels (number),
  kind TEXT NOT NULL CHECK (kind IN ('arrived', 'code_changed', 'reminder', 'expired', 'collected')),
  deposit INTEGER NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms')),
  made_s INTEGER NOT NULL,
  due_s INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given_up', 'dropped')),
  reason TEXT,
  sent_s INTEGER,
  provider_id TEXT,
  UNIQUE (parcel, kind, deposit, channel)
) STRICT;

CREATE INDEX letters_due ON letters (channel, due_s) WHERE state = 'waiting';

-- The state and the deposit that a parcel's recipient was told of, that is: for which letters were made, or nobody was
-- to be told. SQLite itself keeps the index of those that differ, whoever changed them: that is what is owed.
ALTER TABLE parcels ADD COLUMN told_state TEXT;
ALTER TABLE parcels ADD COLUMN told_deposit INTEGER;
ALTER TABLE parcels ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
-- Until now others told people.
UPDATE parcels SET told_state = state, told_deposit = deposit;
CREATE INDEX parcels_untold ON parcels (number)
  WHERE announced AND state IN ('deposited', 'expired', 'collected')
    AND (told_state IS NOT state OR told_deposit IS NOT deposit);
CREATE INDEX parcels_to_remind ON parcels (deadline_s)
  WHERE state = 'deposited' AND announced AND paused_s IS NULL AND NOT reminded;
