-- Jobs by their number, in the order of a list: a page of a popular number reads no more
-- rows than it shows. No other index has this order, with its NULLS LAST, though no column
-- can be NULL: so the planner can't take another one and look for the number row by row.
DROP INDEX fairfactor.jobs_number, fairfactor.queue_number;
CREATE INDEX jobs_number ON fairfactor.jobs (hashtext(number), state, submitted DESC NULLS LAST, accepted DESC NULLS LAST);
CREATE INDEX queue_number ON fairfactor.queue (hashtext(number), submitted DESC NULLS LAST, accepted DESC NULLS LAST);
