-- Numbers that ended processes: a job for each was quarantined. They are few, at most some
-- more than a thousand. deaths is rules.DeathsText; caller, seq and nonce name the job that
-- the processes died with, name is its caller's.
CREATE TABLE fairfactor.deadly (
	hash bytea PRIMARY KEY,
	number text NOT NULL,
	deaths text NOT NULL,
	caller bigint NOT NULL,
	seq bigint NOT NULL,
	nonce bigint NOT NULL,
	name text NOT NULL,
	since timestamptz NOT NULL,
	used timestamptz NOT NULL
);
CREATE INDEX deadly_used ON fairfactor.deadly (used);
