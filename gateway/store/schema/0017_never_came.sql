-- A parcel that was announced and never came ends at its term, and its label with it (domain/personal.py).
CREATE INDEX parcels_awaited ON parcels (expected_s) WHERE state = 'expected' AND ended_s IS NULL;
