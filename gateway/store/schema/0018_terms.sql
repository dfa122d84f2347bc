-- A parcel that was announced and never came ends at its term, and its label with it (domain/personal.py).
CREATE INDEX parcels_awaited ON parcels (expected_s) WHERE state = 'expected' AND ended_s IS NULL;

-- A badge that was taken back has ended then, whatever it said: so has the name on it.
DROP INDEX badges_by_end;
CREATE INDEX badges_by_end ON badges (min(coalesce(revoked_s, expiry_s), expiry_s));
