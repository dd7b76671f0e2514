-- What each group of changes did to jobs. The transaction that wrote a group is its
-- place in the order: those that are still under way have higher numbers than all
-- that can be read as final.
CREATE TABLE fairfactor.events (
    xact    bigint PRIMARY KEY,
    entries bytea NOT NULL
);

ALTER TABLE fairfactor.events ALTER COLUMN entries SET STORAGE EXTERNAL;
