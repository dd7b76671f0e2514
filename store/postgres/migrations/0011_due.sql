-- Deliveries by when they are due: a claim looks at the hosts of those, not at every host
-- that is owed one.
CREATE INDEX deliveries_next ON fairfactor.deliveries (due) WHERE state = 1;
