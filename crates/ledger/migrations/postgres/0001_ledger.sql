-- Columns are what is filtered and sorted by; `body` is the whole value as JSON, and the truth.
-- Times are microseconds since 1970. In text columns a NUL stands as \0 and a backslash as \\; what is longer than
-- 1,024 bytes stands by its beginning and its hash.

CREATE TABLE meta (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE issues (
  id BIGINT NOT NULL PRIMARY KEY,
  state TEXT COLLATE "C" NOT NULL,
  severity BIGINT NOT NULL,
  class TEXT COLLATE "C" NOT NULL,
  entity TEXT COLLATE "C" NOT NULL,
  opened BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  resolved BIGINT,
  is_live BIGINT NOT NULL,
  -- Entity, cause and note in lower case, for searching.
  words TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX issues_live ON issues (id) WHERE is_live = 1;
CREATE INDEX issues_resolved ON issues (resolved) WHERE resolved IS NOT NULL;
CREATE INDEX issues_entity ON issues (entity, id);

CREATE TABLE plans (
  id BIGINT NOT NULL PRIMARY KEY,
  issue BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  class TEXT COLLATE "C" NOT NULL,
  entity TEXT COLLATE "C" NOT NULL,
  strategy TEXT COLLATE "C" NOT NULL,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  is_over BIGINT NOT NULL,
  verdict TEXT COLLATE "C",
  judged BIGINT,
  body TEXT NOT NULL
);
CREATE INDEX plans_issue ON plans (issue);
CREATE INDEX plans_going_on ON plans (id) WHERE is_over = 0;
CREATE INDEX plans_judged ON plans (strategy, verdict) WHERE verdict IS NOT NULL;

CREATE TABLE findings (
  entity TEXT COLLATE "C" NOT NULL,
  class TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  signal TEXT COLLATE "C" NOT NULL,
  issue BIGINT NOT NULL,
  is_present BIGINT NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (entity, class, source, signal)
);
CREATE INDEX findings_issue ON findings (issue);

CREATE TABLE decisions (
  id BIGINT NOT NULL PRIMARY KEY,
  issue BIGINT NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX decisions_issue ON decisions (issue);

CREATE TABLE rates (
  strategy TEXT COLLATE "C" NOT NULL,
  context TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (strategy, context)
);

CREATE TABLE actions (
  key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  target TEXT COLLATE "C" NOT NULL,
  plan BIGINT NOT NULL,
  at BIGINT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX actions_at ON actions (at);
CREATE INDEX actions_plan ON actions (plan);

CREATE TABLE leases (
  target TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  expires BIGINT NOT NULL,
  body TEXT NOT NULL
);

CREATE TABLE brake (
  id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  body TEXT NOT NULL
);

CREATE TABLE health (
  at BIGINT NOT NULL PRIMARY KEY,
  body TEXT NOT NULL
);

CREATE TABLE requests (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  digest TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  reply BYTEA NOT NULL
);
CREATE INDEX requests_at ON requests (at);

-- Verdicts of plans that were forgotten: they go on counting.
CREATE TABLE forgotten_verdicts (
  strategy TEXT COLLATE "C" NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (strategy, verdict)
);

CREATE TABLE audit_head (
  id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  seq BIGINT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE audit (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq);

-- What is in the audit stays as it is. Whoever owns the file can drop these; the chain of hashes tells.
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only';
END
$$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
