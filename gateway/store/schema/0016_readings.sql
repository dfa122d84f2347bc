-- What the sensors of a locker said last (gateway.domain.readings), and when.
CREATE TABLE readings (
  locker TEXT NOT NULL,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  told_s INTEGER NOT NULL,
  PRIMARY KEY (locker, name)
) STRICT, WITHOUT ROWID;
