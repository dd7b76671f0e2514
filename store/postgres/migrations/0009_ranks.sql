-- Classes of what callers have, see rules.Class: those with the most are found without an
-- index of the amounts, which would be written with every job.
ALTER TABLE fairfactor.callers ADD COLUMN queued_class smallint NOT NULL DEFAULT 0, ADD COLUMN cpu_class smallint NOT NULL DEFAULT 0;
UPDATE fairfactor.callers SET
    queued_class = CASE WHEN queued >= 16 THEN floor(ln((queued / 6)::float8) / ln(2::float8) + 1e-9)::smallint ELSE 0 END,
    cpu_class = CASE WHEN cpu >= 16000000 THEN floor(ln((cpu / 6000000)::float8) / ln(2::float8) + 1e-9)::smallint ELSE 0 END
    WHERE queued >= 16 OR cpu >= 16000000;
CREATE INDEX callers_queued ON fairfactor.callers (queued_class DESC) WHERE queued_class > 0;
CREATE INDEX callers_cpu ON fairfactor.callers (cpu_class DESC) WHERE cpu_class > 0;
