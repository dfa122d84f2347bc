-- What operators set on their pages: where a locker is on the map, how long parcels wait there, who looks after a report.

-- Degrees, WGS 84; both or none.
ALTER TABLE sites ADD COLUMN latitude REAL;
ALTER TABLE sites ADD COLUMN longitude REAL;

-- Days from deposit to expiry at this locker; NULL: as everywhere (the setting pickup_days).
ALTER TABLE lockers ADD COLUMN pickup_days INTEGER;

-- `owner`: the name of the key of whoever looks after it.
ALTER TABLE reports ADD COLUMN owner TEXT;
ALTER TABLE reports ADD COLUMN owned_s INTEGER;

-- Of a locker's doors of each size this share is kept for the parcels of one tenant, a carrier or a merchant.
CREATE TABLE guarantees (
  locker TEXT NOT NULL REFERENCES lockers (id),
  tenant TEXT NOT NULL,
  percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
  PRIMARY KEY (locker, tenant)
) STRICT, WITHOUT ROWID;
