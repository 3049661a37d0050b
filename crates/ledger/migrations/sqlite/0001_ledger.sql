-- Columns are what is filtered and sorted by; `body` is the whole value as JSON, and the truth.
-- Times are microseconds since 1970. In text columns a NUL stands as \0 and a backslash as \\; what is longer than
-- 1,024 bytes stands by its beginning and its hash.

CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;

CREATE TABLE issues (
  id INTEGER NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  severity INTEGER NOT NULL,
  class TEXT NOT NULL,
  entity TEXT NOT NULL,
  opened INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  resolved INTEGER,
  is_live INTEGER NOT NULL,
  -- Entity, cause and note in lower case, for searching.
  words TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX issues_live ON issues (id) WHERE is_live = 1;
CREATE INDEX issues_resolved ON issues (resolved) WHERE resolved IS NOT NULL;
CREATE INDEX issues_entity ON issues (entity, id);

CREATE TABLE plans (
  id INTEGER NOT NULL PRIMARY KEY,
  issue INTEGER NOT NULL,
  state TEXT NOT NULL,
  class TEXT NOT NULL,
  entity TEXT NOT NULL,
  strategy TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  is_over INTEGER NOT NULL,
  verdict TEXT,
  judged INTEGER,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX plans_issue ON plans (issue);
CREATE INDEX plans_going_on ON plans (id) WHERE is_over = 0;
CREATE INDEX plans_judged ON plans (strategy, verdict) WHERE verdict IS NOT NULL;

CREATE TABLE findings (
  entity TEXT NOT NULL,
  class TEXT NOT NULL,
  source TEXT NOT NULL,
  signal TEXT NOT NULL,
  issue INTEGER NOT NULL,
  is_present INTEGER NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (entity, class, source, signal)
) STRICT;
CREATE INDEX findings_issue ON findings (issue);

CREATE TABLE decisions (
  id INTEGER NOT NULL PRIMARY KEY,
  issue INTEGER NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_issue ON decisions (issue);

CREATE TABLE rates (
  strategy TEXT NOT NULL,
  context TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (strategy, context)
) STRICT;

CREATE TABLE actions (
  key TEXT NOT NULL PRIMARY KEY,
  target TEXT NOT NULL,
  plan INTEGER NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX actions_at ON actions (at);
CREATE INDEX actions_plan ON actions (plan);

CREATE TABLE leases (
  target TEXT NOT NULL PRIMARY KEY,
  expires INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE brake (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  body TEXT NOT NULL
) STRICT;

CREATE TABLE health (
  at INTEGER NOT NULL PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE requests (
  id TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  reply BLOB NOT NULL
) STRICT;
CREATE INDEX requests_at ON requests (at);

-- Verdicts of plans that were forgotten: they go on counting.
CREATE TABLE forgotten_verdicts (
  strategy TEXT NOT NULL,
  verdict TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (strategy, verdict)
) STRICT;

CREATE TABLE audit_head (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE audit (
  seq INTEGER NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  hash TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX audit_subject ON audit (subject, seq);

-- What is in the audit stays as it is. Whoever owns the file can drop these; the chain of hashes tells.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN
  SELECT RAISE(ABORT, 'the audit is append-only');
END;
