-- Groups of callers that have a weight of their own.
CREATE TABLE fairfactor.groups (
    name   text COLLATE "C" PRIMARY KEY,
    weight integer NOT NULL
);

-- Callers again, with their groups, and such that an update of an account, which
-- comes with every group of changes, logs few bytes: what changes stands together,
-- and no index knows of it.
CREATE TABLE fairfactor.callers_by_number (
    number       bigint NOT NULL,
    last         bigint NOT NULL DEFAULT 0, -- highest sequence or order number in use
    turns        bigint NOT NULL DEFAULT 0,
    cpu          bigint NOT NULL DEFAULT 0, -- nanoseconds
    completed    bigint NOT NULL DEFAULT 0,
    queued       bigint NOT NULL DEFAULT 0,
    failed       bigint NOT NULL DEFAULT 0,
    cancelled    bigint NOT NULL DEFAULT 0,
    epoch        bigint NOT NULL,
    weight       integer NOT NULL DEFAULT 1,
    known        boolean NOT NULL DEFAULT false, -- a change of it took effect
    name         text COLLATE "C" NOT NULL,
    caller_group text COLLATE "C" NOT NULL DEFAULT '' -- none if empty
);

INSERT INTO fairfactor.callers_by_number (number, last, turns, cpu, completed, queued, failed, cancelled, epoch, weight, known, name)
    SELECT number, last, turns, cpu, completed, queued, failed, cancelled, epoch, weight::integer, true, name FROM fairfactor.callers ORDER BY number;

DROP TABLE fairfactor.callers;
ALTER TABLE fairfactor.callers_by_number RENAME TO callers;
ALTER TABLE fairfactor.callers ADD CONSTRAINT callers_pkey PRIMARY KEY (number);
ALTER TABLE fairfactor.callers ADD CONSTRAINT callers_name_key UNIQUE (name);

-- Whether a job has a checkpoint, whose pieces go with it. Of those that wait now
-- it is not known.
ALTER TABLE fairfactor.queue ADD COLUMN saved boolean NOT NULL DEFAULT true;
ALTER TABLE fairfactor.queue ALTER COLUMN saved SET DEFAULT false;

-- Which jobs ended in a group of changes, so that they are found when they are
-- old: a row for many of them takes the place of an entry for each in an index.
CREATE TABLE fairfactor.ended (
    earliest timestamptz NOT NULL, -- end of the first of them, by the clock of the database
    grp      bigint NOT NULL,
    part     integer NOT NULL,
    skew     bigint NOT NULL, -- microseconds that the database's clock was ahead of the node's which wrote them
    callers  bigint[] NOT NULL,
    seqs     bigint[] NOT NULL,
    PRIMARY KEY (earliest, grp, part)
);

ALTER TABLE fairfactor.ended ALTER COLUMN callers SET STORAGE PLAIN, ALTER COLUMN seqs SET STORAGE PLAIN;

INSERT INTO fairfactor.ended (earliest, grp, part, skew, callers, seqs)
    SELECT min(finished), -1 - n, 0, 0, array_agg(caller), array_agg(seq)
    FROM (SELECT caller, seq, finished, (row_number() OVER (ORDER BY finished) - 1) / 128 AS n FROM fairfactor.jobs) AS j GROUP BY n;

DROP INDEX fairfactor.jobs_finished;

-- The number of the last group of a writer, under a name that an earlier version
-- does not know: it would end jobs without a row in ended, which were kept for ever.
ALTER TABLE fairfactor.writers RENAME COLUMN grp TO last;
