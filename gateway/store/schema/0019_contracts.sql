-- Which carriers a merchant announces parcels for, by the operator's word; and whose word each announcement is.

CREATE TABLE contracts (
  merchant TEXT NOT NULL,
  carrier TEXT NOT NULL,
  since_s INTEGER NOT NULL,
  PRIMARY KEY (merchant, carrier)
) STRICT, WITHOUT ROWID;

CREATE INDEX contracts_of_carrier ON contracts (carrier);

-- A merchant announced the label of a parcel that was known already, and not as its own.
CREATE TABLE claims (
  parcel INTEGER NOT NULL REFERENCES parcels (number),
  merchant TEXT NOT NULL,
  made_s INTEGER NOT NULL,
  PRIMARY KEY (parcel, merchant)
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_of_merchant ON claims (merchant, made_s);

-- vouched: its carrier or the operator said so itself; 0: a merchant's word alone. handed: how often its recipient was
-- taken back, each time the link to its page is another one.
ALTER TABLE parcels ADD COLUMN vouched INTEGER NOT NULL DEFAULT 1;
ALTER TABLE parcels ADD COLUMN handed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX parcels_unvouched ON parcels (merchant, carrier) WHERE NOT vouched AND ended_s IS NULL;
CREATE INDEX parcels_handed ON parcels (number) WHERE handed > 0 AND state = 'deposited';

-- Nobody noted who announced what is under way: where a merchant is named it may have been the merchant.
UPDATE parcels SET vouched = 0 WHERE merchant <> '' AND announced AND ended_s IS NULL;
-- What a carrier's own couriers have put in for a merchant proves that the two work together. An announcement alone
-- proves nothing, because anybody could make it: it gets no door until there is a contract, or its carrier says so.
INSERT INTO contracts (merchant, carrier, since_s)
  SELECT merchant, carrier, min(deposited_s) FROM parcels WHERE merchant <> '' AND deposited_s IS NOT NULL
  GROUP BY merchant, carrier;
