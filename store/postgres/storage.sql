-- How PostgreSQL should keep the tables: room in the pages of rows that are written again
-- and again, so that no index has to follow them, and a vacuum long before its defaults. The
-- service is right without any of it, so each line may fail: other servers that speak
-- PostgreSQL's protocol know some of these or none. One statement a line.
ALTER TABLE fairfactor.callers SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE fairfactor.queue SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE fairfactor.jobs SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE fairfactor.writers SET (fillfactor = 10);
ALTER TABLE fairfactor.members SET (fillfactor = 50);
ALTER TABLE fairfactor.ended SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE fairfactor.events SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE fairfactor.operations SET (fillfactor = 10);
ALTER TABLE fairfactor.idle SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE fairfactor.known SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE fairfactor.deadlines SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE fairfactor.deliveries SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
