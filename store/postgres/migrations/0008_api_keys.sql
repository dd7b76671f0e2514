-- API keys, of which the hash is kept only, and the version of all of them
-- together, which every node asks for several times a second.
CREATE TABLE fairfactor.api_keys (
    id      text COLLATE "C" PRIMARY KEY,
    hash    bytea NOT NULL,
    role    text NOT NULL,
    callers text NOT NULL,
    created timestamptz NOT NULL
);

CREATE TABLE fairfactor.api_keys_version (
    one     boolean PRIMARY KEY CHECK (one),
    version bigint NOT NULL -- the time of the last change in microseconds, 0 before the first
);

INSERT INTO fairfactor.api_keys_version VALUES (true, 0);
