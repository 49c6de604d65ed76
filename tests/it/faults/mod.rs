//! The fault table: whatever the carrier, the humans and the caller do, the caller ends with a human, a
//! voicemail, a spoken promise or the bot, and the disposition says why.
//!
//! `table` has the cases, `scene` sets the stage for one, `play` plays it and says what came of it. What a
//! clock change does to opening hours is shown by the tests of `src/targets`, which give the time.

mod play;
mod scene;
mod table;
