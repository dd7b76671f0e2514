-- The group of accounts that are made with a key, empty for none.
ALTER TABLE fairfactor.api_keys ADD COLUMN key_group text NOT NULL DEFAULT '';
