//! Facts as lines that people read: what `replay` prints and what scenarios compare.

use super::fact::{Evidence, Fact, GiveUpReason, Planned, Trigger, TriggerSource};
use super::outcome::{DialEnd, LegProgress, RewriteOutcome, StreamEnd};
use crate::route::{PassedOver, TargetName};
use crate::time::MediaTime;

/// Which clock places a fact on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// Heard at this position of the call's audio.
    Media(MediaTime),
    /// Known when it was written down.
    Written,
}

/// Describes a fact: its clock, its kind (one word) and the detail. The detail holds what people
/// said and must not be logged.
pub fn describe(fact: &Fact) -> (Stamp, &'static str, String) {
    match fact {
        Fact::CallAnnounced { .. } => (
            Stamp::Written,
            "announced",
            "the carrier asked what to do".to_owned(),
        ),
        Fact::StreamStarted {
            at, replacement, ..
        } => {
            let detail = if *replacement {
                "replaces the one before"
            } else {
                "audio arrives"
            };
            (Stamp::Media(*at), "stream", detail.to_owned())
        }
        Fact::StreamStopped { end, .. } => (Stamp::Written, "stream", stream_end(*end).to_owned()),
        Fact::UtteranceHeard(said) => {
            let mut detail = format!("{:<11} \"{}\"", said.speaker.as_str(), said.text.expose());
            if let Some(sentiment) = said.sentiment {
                detail.push_str(&format!("  sentiment {sentiment:+.2}"));
            }
            if said.approximate {
                detail.push_str("  (approximate)");
            }
            (Stamp::Media(said.end), "utterance", detail)
        }
        Fact::DigitPressed { digit, at } => (Stamp::Media(*at), "digit", digit.to_string()),
        Fact::DigitsEntered { digits, at } => (
            Stamp::Media(*at),
            "digits",
            format!("entered {}", digits.expose()),
        ),
        Fact::RecognizerLost { speaker } => (
            Stamp::Written,
            "recognizer",
            format!("{} lost", speaker.as_str()),
        ),
        Fact::RecognizerRestored { speaker } => (
            Stamp::Written,
            "recognizer",
            format!("{} restored", speaker.as_str()),
        ),
        Fact::Triggered(trigger) => (Stamp::Media(trigger.media_at), "trigger", because(trigger)),
        Fact::RewriteRequested { attempt, .. } => (
            Stamp::Written,
            "rewrite",
            format!("requested, attempt {attempt}"),
        ),
        Fact::RewriteSettled { outcome, .. } => (Stamp::Written, "rewrite", rewrite(outcome)),
        Fact::Routed {
            route,
            targets,
            passed_over,
            ..
        } => (
            Stamp::Written,
            "route",
            routed(route.as_deref(), targets, passed_over),
        ),
        Fact::DocumentFetched { attempt, .. } => (
            Stamp::Written,
            "rewrite",
            format!("followed, attempt {attempt}: the carrier fetched the document"),
        ),
        Fact::LegProgressed {
            target, progress, ..
        } => (
            Stamp::Written,
            "leg",
            format!("{} ({target})", leg(*progress)),
        ),
        Fact::HumanCalled { target, .. } => (
            Stamp::Written,
            "leg",
            format!("human called to the caller's conference ({target})"),
        ),
        Fact::DialEnded { target, end, .. } => (
            Stamp::Written,
            "dial",
            format!("{} ({target})", dial_end(*end)),
        ),
        Fact::CallBackPromised { .. } => (
            Stamp::Written,
            "promise",
            "the caller was told that somebody calls back".to_owned(),
        ),
        Fact::MessageLeft { length, .. } => (
            Stamp::Written,
            "message",
            format!("the caller left one of {} s", length.as_secs()),
        ),
        Fact::CutShort { .. } => (
            Stamp::Written,
            "watch",
            "caller and human were parted within two minutes".to_owned(),
        ),
        Fact::HandoffGivenUp { reason, .. } => {
            (Stamp::Written, "handoff", given_up(*reason).to_owned())
        }
        Fact::CallEnded { disposition } => {
            (Stamp::Written, "ended", disposition.as_str().to_owned())
        }
    }
}

fn because(trigger: &Trigger) -> String {
    let mut text = match &trigger.source {
        TriggerSource::Rule(rule) => format!("rule {rule}"),
        TriggerSource::Api { reason } => format!("requested: {}", reason.expose()),
    };
    for evidence in &trigger.evidence {
        match evidence {
            Evidence::Words {
                speaker,
                text: words,
                is_final,
                ..
            } => {
                let kind = if *is_final { "" } else { " (interim)" };
                text.push_str(&format!(
                    ", {} said \"{}\"{kind}",
                    speaker.as_str(),
                    words.expose()
                ));
            }
            Evidence::Digits { digits, .. } => {
                text.push_str(&format!(", caller pressed {}", digits.expose()));
            }
        }
    }
    for (name, value) in &trigger.values {
        text.push_str(&format!(", {name}={value}"));
    }
    text
}

fn stream_end(end: StreamEnd) -> &'static str {
    match end {
        StreamEnd::Stopped => "stopped by the carrier",
        StreamEnd::Closed => "closed without a stop",
        StreamEnd::Replaced => "replaced by a newer one",
        StreamEnd::Refused => "closed by us: protocol broken",
        StreamEnd::Released => "closed by us: the carrier goes on",
    }
}

fn rewrite(outcome: &RewriteOutcome) -> String {
    match outcome {
        RewriteOutcome::Accepted => "accepted".to_owned(),
        RewriteOutcome::Taken => "taken, not followed yet".to_owned(),
        RewriteOutcome::CallerGone => "too late, the caller has hung up".to_owned(),
        RewriteOutcome::Refused {
            code: Some(code),
            status,
        } => {
            format!("refused, status {status}, code {code}")
        }
        RewriteOutcome::Refused { code: None, status } => format!("refused, status {status}"),
        RewriteOutcome::NotSent => "not sent".to_owned(),
        RewriteOutcome::Unknown => "unknown whether it acted".to_owned(),
    }
}

fn given_up(reason: GiveUpReason) -> &'static str {
    match reason {
        GiveUpReason::Refused => "given up: refused",
        GiveUpReason::AttemptsUsedUp => "given up: no attempt is left",
        GiveUpReason::NeverFetched => "given up: taken and never followed",
        GiveUpReason::Outdated => "given up: too old after a restart",
    }
}

fn routed(
    route: Option<&str>,
    targets: &[Planned],
    passed_over: &[(TargetName, PassedOver)],
) -> String {
    let names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
    let mut text = route.map_or_else(String::new, |route| format!("{route}: "));
    text.push_str(&match names.is_empty() {
        true => "nobody to try".to_owned(),
        false => names.join(", then "),
    });
    for (target, why) in passed_over {
        text.push_str(&format!("; not {}, {why}", target.as_str()));
    }
    text
}

fn leg(progress: LegProgress) -> &'static str {
    match progress {
        LegProgress::Initiated => "human's leg initiated",
        LegProgress::Ringing => "human's phone rings",
        LegProgress::Answered => "human answered",
        LegProgress::Accepted => "human took the call",
        LegProgress::Bridged => "caller and human talk",
        LegProgress::Completed => "human's leg over",
    }
}

fn dial_end(end: DialEnd) -> String {
    match end {
        DialEnd::Bridged => "over after caller and human talked",
        DialEnd::AnsweredNotBridged => "answered and not taken",
        DialEnd::HungUpAtOnce => "hung up at once",
        DialEnd::NoAnswer => "nobody answered",
        DialEnd::Busy => "busy",
        DialEnd::Rejected => "turned down",
        DialEnd::Failed { code: None } => "failed",
        DialEnd::Failed { code: Some(code) } => return format!("failed, code {code}"),
        DialEnd::Canceled => "given up",
        DialEnd::NobodyAvailable => "nobody available",
    }
    .to_owned()
}
