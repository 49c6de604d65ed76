//! Signals: what the words of a call say about it.
