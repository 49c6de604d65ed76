//! The least and the most that every duration and number may be, and why.
//!
//! Within these bounds the promises hold whatever an operator writes: a caller who asks for a human
//! gets one soon, the context arrives, no clock overflows. There is no way to read a duration or a
//! number without them. `default.toml` states each beside its setting, which a test here checks.
//! How long a telephone rings is not here: its bounds are the carrier's
//! ([`RingSeconds`](crate::carrier::twilio::argument::RingSeconds)).

use std::fmt;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// There and back between any two places on Earth, with some patience.
const ROUND_TRIP: Duration = Duration::from_millis(250);
/// Twilio ends calls after four hours, so that what lasts longer outlasts any call.
const LONGEST_CALL: Duration = HOUR.saturating_mul(4);

/// What a setting may be. Shown as `500ms to 10s`.
pub(super) struct Bounds<T> {
    /// It may be this, not less.
    pub(super) least: T,
    /// It may be this, not more.
    pub(super) most: T,
    /// What the setting does, and what goes wrong on either side.
    pub(super) why: &'static str,
}

impl<T: Copy + PartialOrd> Bounds<T> {
    /// Says whether a value is allowed.
    pub(super) fn hold(&self, value: T) -> bool {
        self.least <= value && value <= self.most
    }
}

impl fmt::Display for Bounds<Duration> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = humantime::format_duration(self.least);
        write!(f, "{least} to {}", humantime::format_duration(self.most))
    }
}

impl fmt::Display for Bounds<u32> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.least, self.most)
    }
}

pub(super) const MAX_CALLS: Bounds<u32> = Bounds {
    least: 1,
    most: 32_000,
    why: "so many calls are listened to at once; with none nobody is heard, and a call has two \
          sockets to the recognizer, of which one address has some 64000",
};

pub(super) const DRAIN: Bounds<Duration> = Bounds {
    least: Duration::ZERO,
    most: LONGEST_CALL,
    why: "live calls may go on this long after SIGTERM; none lasts longer than 4h",
};

pub(super) const CARRIER_TIMEOUT: Bounds<Duration> = Bounds {
    least: Duration::from_millis(500),
    most: SECOND.saturating_mul(10),
    why: "a REST request may take this long; with less a carrier's answers come too late to be seen, \
          with more the caller waits for a request that hangs",
};

pub(super) const START_DEADLINE: Bounds<Duration> = Bounds {
    least: ROUND_TRIP,
    most: MINUTE,
    why: "a media socket has this long to introduce itself; with less it is closed before it can, \
          with more a silent one keeps the call's real one out",
};

pub(super) const GRACE: Bounds<Duration> = Bounds {
    least: ROUND_TRIP,
    most: MINUTE.saturating_mul(2),
    why: "a call may be this long without a stream; with less a replacement comes too late, with \
          more a call that ended unseen stays open",
};

pub(super) const ENDPOINTING: Bounds<Duration> = Bounds {
    least: Duration::from_millis(10),
    most: SECOND.saturating_mul(5),
    why: "silence of this length ends a stretch of speech; with less it ends within words, with \
          more a wish for a human is heard that much later",
};

pub(super) const UTTERANCE_END: Bounds<Duration> = Bounds {
    least: SECOND,
    most: SECOND.saturating_mul(5),
    why: "a gap of this length ends an utterance; interim results come about once a second, so less \
          cannot be seen, and with more turns are told late",
};

pub(super) const PACE: Bounds<u32> = Bounds {
    least: 1,
    most: 1_000,
    why: "audio comes this many times faster than speech, 1 on a telephone line; beyond 1000 \
          no machine keeps up",
};

pub(super) const MAX_STREAMS: Bounds<u32> = Bounds {
    least: 1,
    most: 1_000,
    why: "so many speakers are listened to at once; each takes about 8 MB, a thousand 8 GB",
};

pub(super) const DIGITS_PAUSE: Bounds<Duration> = Bounds {
    least: Duration::from_millis(500),
    most: SECOND.saturating_mul(10),
    why: "keys pressed with less than this in between are one entry; with less a 0 in an account \
          number asks for a human, with more a caller who pressed 0 waits that long",
};

pub(super) const JOURNAL_DEADLINE: Bounds<Duration> = Bounds {
    least: Duration::from_millis(50),
    most: SECOND.saturating_mul(2),
    why: "a rewrite waits this long for the decision to be on disk; with less it never is, with \
          more a caller waits for a disk that hangs",
};

pub(super) const ATTEMPTS: Bounds<u32> = Bounds {
    least: 1,
    most: 10,
    why: "a rewrite is asked for this often; the caller waits through all of them",
};

/// More than the most is not waited: `handoff_core` doubles the wait up to two seconds.
pub(super) const RETRY: Bounds<Duration> = Bounds {
    least: Duration::from_millis(50),
    most: SECOND.saturating_mul(2),
    why: "this long passes before a rewrite is asked for again, then twice as long; with less the \
          attempts are used up within one hiccup, and 2s is the longest wait",
};

pub(super) const COOL_DOWN: Bounds<Duration> = Bounds {
    least: SECOND,
    most: LONGEST_CALL,
    why: "a rule that fired rests this long while it stays true; with less a failed handoff is \
          repeated before the caller heard of it, and 4h is as long as a call",
};

pub(super) const BRIDGED_AFTER: Bounds<Duration> = Bounds {
    least: Duration::ZERO,
    most: SECOND.saturating_mul(30),
    why: "caller and human joined this long count as such; with 0s a line that breaks at once does, \
          with more than 30s a short talk does not",
};

pub(super) const VOICEMAIL_LONGEST: Bounds<Duration> = Bounds {
    least: SECOND.saturating_mul(5),
    most: MINUTE.saturating_mul(30),
    why: "a caller may speak this long; with less nobody can say what they want, with more a phone \
          that was not hung up is recorded",
};

pub(super) const TASK_PRIORITY: Bounds<u32> = Bounds {
    least: 0,
    most: i32::MAX as u32,
    why: "tasks of a higher number go first; TaskRouter takes no more",
};

/// Less than the least would end before a vendor's `Retry-After`, which is often a minute.
pub(super) const GIVE_UP_AFTER: Bounds<Duration> = Bounds {
    least: MINUTE.saturating_mul(5),
    most: DAY.saturating_mul(30),
    why: "a delivery is tried this long; with less a ticket is lost to a vendor's short outage, \
          with more it comes when nobody needs it",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULT;

    /// The comment right above a setting, in one line.
    fn comment(section: &str, key: &str) -> String {
        let start = DEFAULT.find(&format!("[{section}]\n")).expect("a section");
        let setting = format!("{key} = ");
        let before = DEFAULT[start..]
            .lines()
            .take_while(|l| !l.starts_with(&setting));
        let block: Vec<&str> = before.collect();
        let block = block.rsplit(|line| !line.starts_with('#')).next();
        let words = block
            .into_iter()
            .flatten()
            .map(|line| line.trim_start_matches("# "));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_reference_states_the_bounds_of_each_setting() {
        for (section, key, bounds) in [
            ("server", "max_calls", MAX_CALLS.to_string()),
            ("server", "drain", DRAIN.to_string()),
            ("twilio", "timeout", CARRIER_TIMEOUT.to_string()),
            ("plivo", "timeout", CARRIER_TIMEOUT.to_string()),
            ("stream", "start_deadline", START_DEADLINE.to_string()),
            ("stream", "grace", GRACE.to_string()),
            (
                "recognizer.deepgram",
                "endpointing",
                ENDPOINTING.to_string(),
            ),
            (
                "recognizer.deepgram",
                "utterance_end",
                UTTERANCE_END.to_string(),
            ),
            ("recognizer.deepgram", "pace", PACE.to_string()),
            (
                "recognizer.pocketsphinx",
                "max_streams",
                MAX_STREAMS.to_string(),
            ),
            ("handoff", "ring", "5s to 600s".to_owned()),
            ("handoff", "digits_pause", DIGITS_PAUSE.to_string()),
            ("handoff", "journal_deadline", JOURNAL_DEADLINE.to_string()),
            ("handoff", "attempts", ATTEMPTS.to_string()),
            ("handoff", "retry", RETRY.to_string()),
            ("handoff", "bridged_after", BRIDGED_AFTER.to_string()),
            (
                "handoff",
                "voicemail_longest",
                VOICEMAIL_LONGEST.to_string(),
            ),
            ("[rule]", "cool_down", COOL_DOWN.to_string()),
            ("delivery", "give_up_after", GIVE_UP_AFTER.to_string()),
        ] {
            let told = comment(section, key);
            assert!(told.contains(&bounds), "{section}.{key}: {bounds}: {told}");
        }
    }
}
