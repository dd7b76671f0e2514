-- Whether an operator has chosen the group of a caller. Of those that have one now it is
-- not known.
ALTER TABLE fairfactor.callers ADD COLUMN placed boolean NOT NULL DEFAULT false;
UPDATE fairfactor.callers SET placed = true WHERE caller_group <> '';

-- Accounts that may have no jobs, and since when: they are looked at when they are old, see
-- accounts.go.
CREATE TABLE fairfactor.idle (
    number bigint PRIMARY KEY,
    since  timestamptz NOT NULL -- by the clock of the database
);

CREATE INDEX idle_since ON fairfactor.idle (since);
INSERT INTO fairfactor.idle (number, since)
    SELECT c.number, now() FROM fairfactor.callers AS c
    WHERE c.queued = 0 AND NOT EXISTS (SELECT FROM fairfactor.jobs AS j WHERE j.caller = c.number);

-- How many accounts there are is the sum of these, as with known_counts.
CREATE TABLE fairfactor.account_counts (n bigint NOT NULL);
INSERT INTO fairfactor.account_counts (n) SELECT count(*) FROM fairfactor.callers;
