//! Rules: conditions over signals, and the engine that fires them.
