-- Compartments whose module leaves, by a technician's word at the locker: nothing is put in any more, what lies inside is
-- fetched as ever.
ALTER TABLE compartments ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0;
