-- A door that its locker cannot see is at fault too: nobody can fetch a parcel through it, and its days stand still.
DROP INDEX compartments_at_fault;
CREATE INDEX compartments_at_fault ON compartments (locker, number)
  WHERE (quarantined OR out_of_service OR door IN ('jammed', 'faulty', 'forced', 'out_of_service', 'unknown'));
