-- Callers and their accounts: one row each, changed with every group that has a
-- change of theirs. No index but on what never changes, and room in the pages,
-- so that those updates stay within them.
CREATE TABLE fairfactor.callers (
    number    bigint PRIMARY KEY,
    name      text COLLATE "C" NOT NULL UNIQUE,
    epoch     bigint NOT NULL,
    last      bigint NOT NULL DEFAULT 0, -- highest sequence or order number in use
    weight    bigint NOT NULL DEFAULT 1,
    queued    bigint NOT NULL DEFAULT 0,
    completed bigint NOT NULL DEFAULT 0,
    failed    bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    cpu       bigint NOT NULL DEFAULT 0, -- nanoseconds
    turns     bigint NOT NULL DEFAULT 0
);

CREATE SEQUENCE fairfactor.caller_numbers;

-- Groups of changes, in the order in which they were made.
CREATE SEQUENCE fairfactor.group_numbers;

-- Unfinished jobs. An order number is the sequence number of the job until the
-- job is queued again.
CREATE TABLE fairfactor.queue (
    caller     bigint NOT NULL,
    ord        bigint NOT NULL,
    seq        bigint NOT NULL,
    nonce      bigint NOT NULL,
    accepted   bigint NOT NULL, -- place in the order of acceptance
    number     text NOT NULL,
    key        text NOT NULL,
    submitted  timestamptz NOT NULL,
    started    timestamptz NOT NULL,
    attempts   bigint NOT NULL,
    turn       bigint NOT NULL,
    cpu        bigint NOT NULL, -- nanoseconds
    turns      bigint NOT NULL,
    factors    text NOT NULL, -- as in 2^3 1000003 (a ? behind a prime: not proven)
    reason     text NOT NULL,
    checkpoint bytea NOT NULL DEFAULT '',
    PRIMARY KEY (caller, ord)
);

CREATE INDEX queue_accepted ON fairfactor.queue (accepted);
CREATE INDEX queue_again ON fairfactor.queue (caller, seq) WHERE ord <> seq;

-- Finished jobs.
CREATE TABLE fairfactor.jobs (
    caller    bigint NOT NULL,
    seq       bigint NOT NULL,
    ord       bigint NOT NULL,
    nonce     bigint NOT NULL,
    accepted  bigint NOT NULL,
    state     smallint NOT NULL, -- 3 completed, 4 failed, 5 cancelled
    number    text NOT NULL,
    key       text NOT NULL,
    submitted timestamptz NOT NULL,
    started   timestamptz NOT NULL,
    finished  timestamptz NOT NULL,
    attempts  bigint NOT NULL,
    turn      bigint NOT NULL,
    cpu       bigint NOT NULL,
    turns     bigint NOT NULL,
    factors   text NOT NULL,
    reason    text NOT NULL,
    PRIMARY KEY (caller, seq)
);

CREATE INDEX jobs_accepted ON fairfactor.jobs (accepted);
CREATE INDEX jobs_finished ON fairfactor.jobs (finished);
CREATE INDEX jobs_failed ON fairfactor.jobs (accepted) WHERE state = 4;
CREATE INDEX jobs_failed_of ON fairfactor.jobs (caller, seq) WHERE state = 4;
CREATE INDEX jobs_cancelled ON fairfactor.jobs (accepted) WHERE state = 5;
CREATE INDEX jobs_cancelled_of ON fairfactor.jobs (caller, seq) WHERE state = 5;

-- The job that a caller submitted last with an idempotency key.
CREATE TABLE fairfactor.keys (
    caller    bigint NOT NULL,
    key       text COLLATE "C" NOT NULL,
    seq       bigint NOT NULL,
    nonce     bigint NOT NULL,
    submitted timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);

-- What the scheduler starts from: one row.
CREATE TABLE fairfactor.scheduler (
    one   boolean PRIMARY KEY CHECK (one),
    epoch bigint NOT NULL,
    place bigint NOT NULL -- highest that a writer which is gone has stored
);

INSERT INTO fairfactor.scheduler VALUES (true, 0, 0);

-- Those who write groups: the last group that each wrote, by which it learns
-- whether a commit that nobody answered took place.
CREATE TABLE fairfactor.writers (
    id      bigint PRIMARY KEY,
    grp     bigint NOT NULL,
    place   bigint NOT NULL, -- highest in the dispatch order that it stored
    touched timestamptz NOT NULL
);

-- Members of the cluster, and those who were: an id is never used again.
CREATE TABLE fairfactor.members (
    id      text COLLATE "C" PRIMARY KEY,
    name    text NOT NULL,
    address text NOT NULL,
    gossip  text NOT NULL,
    joined  timestamptz NOT NULL,
    removed timestamptz, -- NULL while it is a member
    since   timestamptz NOT NULL,
    renewed timestamptz NOT NULL,
    until   timestamptz NOT NULL,
    dead    text[] NOT NULL
);

CREATE INDEX members_now ON fairfactor.members (id) WHERE removed IS NULL;

CREATE TABLE fairfactor.roll (
    one     boolean PRIMARY KEY CHECK (one),
    version bigint NOT NULL
);

INSERT INTO fairfactor.roll VALUES (true, 0);
