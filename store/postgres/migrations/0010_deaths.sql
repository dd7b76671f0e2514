-- The processes that died with a turn of a job in their hands: see rules.DeathsText. Most
-- jobs have none.
ALTER TABLE fairfactor.queue ADD COLUMN deaths text NOT NULL DEFAULT '';
ALTER TABLE fairfactor.jobs ADD COLUMN deaths text NOT NULL DEFAULT '';
