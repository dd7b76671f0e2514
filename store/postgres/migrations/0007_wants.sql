-- What the submitter of a job wants besides its factors: see wants.go. Most jobs
-- have none.
ALTER TABLE fairfactor.queue ADD COLUMN wants text NOT NULL DEFAULT '';
ALTER TABLE fairfactor.jobs ADD COLUMN wants text NOT NULL DEFAULT '';

-- Unfinished jobs with a deadline.
CREATE TABLE fairfactor.deadlines (
    at     timestamptz NOT NULL,
    caller bigint NOT NULL,
    seq    bigint NOT NULL,
    nonce  bigint NOT NULL,
    PRIMARY KEY (at, caller, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
