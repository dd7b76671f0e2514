-- Lists go by the time of submission, which the filters of a list ask for too, and in
-- one state or in all: an index for each state, and none for all of them, so that a job
-- is in one.
DROP INDEX fairfactor.jobs_accepted, fairfactor.jobs_failed, fairfactor.jobs_cancelled, fairfactor.queue_accepted;
CREATE INDEX jobs_completed ON fairfactor.jobs (submitted, accepted) WHERE state = 3;
CREATE INDEX jobs_failed ON fairfactor.jobs (submitted, accepted) WHERE state = 4;
CREATE INDEX jobs_cancelled ON fairfactor.jobs (submitted, accepted) WHERE state = 5;
CREATE INDEX queue_submitted ON fairfactor.queue (submitted, accepted);

-- Jobs by their number. Its hash is as good as the number, of up to a thousand digits,
-- and has four bytes.
CREATE INDEX jobs_number ON fairfactor.jobs (hashtext(number));
CREATE INDEX queue_number ON fairfactor.queue (hashtext(number));

ALTER TABLE fairfactor.callers ADD COLUMN paused boolean NOT NULL DEFAULT false;

-- Operations on many jobs.
CREATE TABLE fairfactor.operations (
    id    text COLLATE "C" PRIMARY KEY, -- ascends with time
    epoch bigint NOT NULL,              -- of the scheduler that works on it
    done  boolean NOT NULL,
    data  text NOT NULL                 -- JSON
);

CREATE INDEX operations_open ON fairfactor.operations (id) WHERE NOT done;
