"""What happens when the network comes back: a whole town that dials, and one locker that was alone for a month."""
