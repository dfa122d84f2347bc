-- Who put a parcel in, and when its door was let open, as its locker told. A badge's holder is a staff number, and stays
-- in `badges`; no person's name. When the door closed is parcels.deposited_s.
ALTER TABLE deposit_requests ADD COLUMN badge BLOB;
CREATE TABLE handovers (
  parcel INTEGER PRIMARY KEY REFERENCES parcels (number),
  badge BLOB,
  opened_s INTEGER
) STRICT;
