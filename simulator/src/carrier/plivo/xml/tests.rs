//! Documents, one rule broken at a time.
