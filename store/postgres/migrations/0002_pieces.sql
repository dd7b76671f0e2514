-- Checkpoints of large jobs: pieces that are written once. They do not compress.
CREATE TABLE fairfactor.pieces (
    caller bigint NOT NULL,
    ord    bigint NOT NULL,
    number bigint NOT NULL,
    data   bytea NOT NULL,
    PRIMARY KEY (caller, ord, number)
);

ALTER TABLE fairfactor.pieces ALTER COLUMN data SET STORAGE EXTERNAL;
