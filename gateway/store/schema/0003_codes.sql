-- Codes re-issued. Still no code, token or key in any column: ids and numbers only.

-- Which parcel had this deposit number before a re-issue gave it another one. Purpose: word of the old number that
-- comes late (a journal that lost its end) is still about that parcel. No personal field.
CREATE TABLE former_deposits (
  locker TEXT NOT NULL,
  compartment INTEGER NOT NULL,
  deposit INTEGER NOT NULL,
  parcel INTEGER NOT NULL REFERENCES parcels (number),
  PRIMARY KEY (locker, compartment, deposit)
) STRICT, WITHOUT ROWID;
