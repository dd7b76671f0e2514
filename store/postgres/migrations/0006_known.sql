-- What is known of numbers, by the hash of their digits, and in the order in which
-- it is forgotten: the least useful first.
CREATE TABLE fairfactor.known (
    hash     bytea PRIMARY KEY, -- 16 bytes
    number   text NOT NULL,
    factors  text NOT NULL, -- as in queue
    found    integer NOT NULL, -- digits of all factors, 2147483647 if none is missing
    worth    smallint NOT NULL, -- binary digits of cpu in microseconds
    cpu      bigint NOT NULL, -- nanoseconds
    used     timestamptz NOT NULL
);

CREATE INDEX known_useful ON fairfactor.known (worth, used);

-- How many numbers are known is the sum of these: each group of changes that makes
-- some known adds a row, so groups do not wait for one another. The node that forgets
-- adds them up.
CREATE TABLE fairfactor.known_counts (n bigint NOT NULL);

ALTER TABLE fairfactor.jobs ADD COLUMN known boolean NOT NULL DEFAULT false;
