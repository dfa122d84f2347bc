-- Modules are added, replaced and retired: what the locker last told of how it is built, to which part of the cabinet a
-- compartment belongs, and whether there is one of this number (present, missing, retired). Numbers are never reused.
ALTER TABLE lockers ADD COLUMN layout BLOB;
ALTER TABLE compartments ADD COLUMN module_id TEXT NOT NULL DEFAULT '';
ALTER TABLE compartments ADD COLUMN presence TEXT NOT NULL DEFAULT 'present'
  CHECK (presence IN ('present', 'missing', 'retired'));
