-- Jobs that are quarantined, see fairfactor.Job.Quarantined: few. No other job is in these.
CREATE INDEX jobs_quarantined ON fairfactor.jobs (submitted, accepted) WHERE state = 4 AND deaths <> '';
CREATE INDEX jobs_quarantined_of ON fairfactor.jobs (caller, seq) WHERE state = 4 AND deaths <> '';
