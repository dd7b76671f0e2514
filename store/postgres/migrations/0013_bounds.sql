-- What an operator allows a caller, as boundsOf has it, null for nothing of its own.
ALTER TABLE fairfactor.callers ADD COLUMN bounds bigint[];
