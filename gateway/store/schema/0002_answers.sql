-- Answers kept for Idempotency-Key: sealed under the caller's own secret, so nothing here can be read.

CREATE TABLE answers (
  id BLOB PRIMARY KEY,
  fingerprint BLOB NOT NULL,
  sealed BLOB NOT NULL,
  kept_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_by_age ON answers (kept_s);
