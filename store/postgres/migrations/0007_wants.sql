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
);

-- What callbacks of jobs that have ended have not been told yet, and what became of
-- the others.
CREATE TABLE fairfactor.deliveries (
    caller   bigint NOT NULL,
    seq      bigint NOT NULL,
    ord      bigint NOT NULL,
    nonce    bigint NOT NULL,
    host     text COLLATE "C" NOT NULL, -- and port
    state    smallint NOT NULL, -- 1 pending, 2 delivered, 3 given up
    due      timestamptz NOT NULL, -- of the next claim
    next     timestamptz NOT NULL, -- of the next attempt, as it was settled
    claim    bigint NOT NULL, -- the last one, from ord * 1048576: no two ends of a job have the same
    attempts bigint NOT NULL DEFAULT 0,
    error    text NOT NULL DEFAULT '',
    PRIMARY KEY (caller, seq)
);

CREATE INDEX deliveries_due ON fairfactor.deliveries (host, due) WHERE state = 1;
