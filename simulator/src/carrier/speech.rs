//! How much of the carrier's time is heard.

use std::time::Duration;

/// A sentence takes as long as a speaker of about 165 words a minute needs.
const SPEECH_PER_CHARACTER: Duration = Duration::from_millis(60);
/// A sound file is taken to last this long.
pub(in crate::carrier) const PLAYED_FILE: Duration = Duration::from_secs(2);

/// How long a text is spoken.
pub(in crate::carrier) fn spoken(text: &str) -> Duration {
    SPEECH_PER_CHARACTER * u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
