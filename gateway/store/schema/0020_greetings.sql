-- The language in which a locker's screen greets: the one that is wanted of it, and the one it said it has.
CREATE TABLE greetings (
  locker TEXT PRIMARY KEY,
  wanted TEXT NOT NULL,
  held TEXT,  -- NULL: it has not said so since it was provisioned
  again_s INTEGER NOT NULL  -- when to order it anew, as long as they differ
) STRICT, WITHOUT ROWID;

CREATE INDEX greetings_lacking ON greetings (again_s) WHERE held IS NOT wanted;
