//! What an operator decides about every call.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::outcome::LastResort;
use crate::id::Carrier;
use crate::route::{Routes, TargetName};
use crate::rule::RuleSet;
use crate::signal::{AsksHuman, Sentiment};

/// How we stand in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Beside the voice agent, which has the caller whatever becomes of the stream.
    Listen,
    /// As the end of the caller's media: without the stream, the carrier's document goes on.
    Converse,
}

/// The decisions of the configuration that the call machine works by. Shared by all calls.
#[derive(Debug)]
pub struct Policy {
    /// The rules, most important first.
    pub rules: RuleSet,
    /// Finds out whether words ask for a human.
    pub asks_human: AsksHuman,
    /// Scores how words feel.
    pub sentiment: Sentiment,
    /// Whom to try for whom.
    pub routes: Arc<Routes>,
    /// Targets that a carrier cannot reach, for plans that nobody else has looked at.
    pub unreachable: BTreeSet<(Carrier, TargetName)>,
    /// What callers get after the last target.
    pub last_resort: LastResort,
    /// How the call's media comes.
    pub mode: Mode,
    /// How long no key is pressed after the last one of an entry. By the audio or by the clock,
    /// whichever is first, so that a stream that ends does not hold the entry up.
    pub digits_pause: Duration,
    /// How long a rewrite waits for its journal row. The caller's interest wins after that.
    pub journal_deadline: Duration,
    /// How long a rewrite waits to know whom to try. After that it is everybody, as listed.
    pub route_deadline: Duration,
    /// How often a rewrite is asked for before the call stays with the voice agent.
    pub rewrite_attempts: u32,
    /// How long to wait before a rewrite that did not act is asked for again, doubled each time, up
    /// to two seconds.
    pub rewrite_retry: Duration,
    /// How long news of the human's leg is waited for before a rewrite of unknown outcome is
    /// repeated, which would ring the human anew, or a human of whom nobody knows whether they are
    /// called is given up.
    pub rewrite_evidence: Duration,
    /// How long a carrier that took a rewrite may take to fetch its document before it is asked again.
    pub fetch_within: Duration,
    /// How long caller and human must have been joined to count as bridged.
    pub bridged_after: Duration,
    /// How long the carrier may take to tell of the end of a leg that it was asked to call: longer than
    /// any phone rings.
    pub human_deadline: Duration,
    /// How many handoffs one call may have. A carrier that refuses each of them must not fill the
    /// ticket system.
    pub handoffs: u32,
    /// How long the recognizers may take to give the last words of a call that is over.
    pub last_words: Duration,
    /// How long a call may be without a stream before the carrier is asked about it.
    pub stream_grace: Duration,
    /// How often the carrier is asked about a call of which nothing is heard.
    pub inspect_every: Duration,
    /// When a call is given up whose end the carrier never reports.
    pub maximum_age: Duration,
}
