//! What every sink says about a handoff, in plain text and not yet escaped for any vendor.
//!
//! Times inside the call are media time (`mm:ss` since the audio began), instants are UTC. Text of
//! callers passes through [`line()`], so that no control character, line break or
//! writing-direction override reaches a vendor.

use handoff_core::call::{DialEnd, Disposition, Evidence, Party, Trigger, TriggerSource};
use handoff_core::context::{HandoffContext, Line, TargetTried};
use handoff_core::speech::Speaker;
use handoff_core::time::{MediaTime, WallTime};
use time::OffsetDateTime;

/// Said wherever words of a phrase spotter are shown.
pub(super) const APPROXIMATE: &str =
    "Approximate: heard by a phrase spotter, not a transcript of record.";

/// Flattens text to one line without characters that steer a display.
pub(super) fn line(text: &str) -> String {
    let mut flat = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            if !flat.ends_with(' ') && !flat.is_empty() {
                flat.push(' ');
            }
        } else if !steers_display(character) {
            flat.push(character);
        }
    }
    flat.truncate(flat.trim_end().len());
    flat
}

/// Zero-width characters and writing-direction overrides: invisible, and able to make a text read
/// as something that it is not.
fn steers_display(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Writes a position in the call's audio as `mm:ss`, or `h:mm:ss` from an hour on.
pub(super) fn clock(at: MediaTime) -> String {
    let seconds = at.as_millis() / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes:02}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

/// Writes an instant as `2026-01-01 00:00:00 UTC`.
pub(super) fn instant(at: WallTime) -> String {
    let Some(at) = i64::try_from(at.0 / 1_000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
    else {
        return "unknown time".to_owned();
    };
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02} UTC",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Names one end of the call.
pub(super) fn party(party: &Party) -> String {
    match party {
        Party::Known(address) => line(address.expose()),
        Party::Withheld => "number withheld".to_owned(),
    }
}

/// The word for a speaker, as shown to people.
pub(super) fn speaker(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::Caller => "Caller",
        Speaker::VoiceAgent => "Voice agent",
        Speaker::Human => "Human",
    }
}

/// Says who decided: the rule by its name, or the request's own reason.
pub(super) fn reason(trigger: &Trigger) -> String {
    match &trigger.source {
        TriggerSource::Rule(name) => line(name).replace('_', " "),
        TriggerSource::Api { reason } => {
            let reason = line(reason.expose());
            if reason.is_empty() {
                "requested over the API".to_owned()
            } else {
                reason
            }
        }
    }
}

/// A short machine-readable word for who decided, for tags.
pub(super) fn reason_tag(trigger: &Trigger) -> &str {
    match &trigger.source {
        TriggerSource::Rule(name) => name,
        TriggerSource::Api { reason: _ } => "api",
    }
}

/// One thing that the decision rests on: where it was heard and what it was.
pub(super) struct Exhibit {
    /// `00:12, Caller` or `00:12, keys`.
    pub(super) place: String,
    /// The words or the keys.
    pub(super) text: String,
}

/// Lists what the decision rests on, in the trigger's order.
pub(super) fn exhibits(trigger: &Trigger) -> Vec<Exhibit> {
    trigger
        .evidence
        .iter()
        .map(|evidence| match evidence {
            Evidence::Words {
                speaker: who,
                at,
                text,
                is_final,
            } => Exhibit {
                place: format!(
                    "{}, {}{}",
                    clock(*at),
                    speaker(*who),
                    if *is_final {
                        ""
                    } else {
                        ", still being recognized"
                    }
                ),
                text: line(text.expose()),
            },
            Evidence::Digits { digits, at } => Exhibit {
                place: format!("{}, keys", clock(*at)),
                text: line(digits.expose()),
            },
        })
        .collect()
}

/// Describes the caller's sentiment, or `None` if no words were heard.
pub(super) fn sentiment(context: &HandoffContext) -> Option<String> {
    let level = context.sentiment?;
    let course = match context.sentiment_trend {
        Some(slope) if slope <= -0.05 => format!(", falling {:.2} a minute", -slope),
        Some(slope) if slope >= 0.05 => format!(", rising {slope:.2} a minute"),
        Some(_) => ", steady".to_owned(),
        None => String::new(),
    };
    Some(format!("{level:+.2}{course}"))
}

/// Says how the call ended.
pub(super) fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::StayedWithVoiceAgent => "The voice agent kept the call to its end.",
        Disposition::Bridged => "A human took the call.",
        Disposition::NoAnswer => "Nobody picked up. The caller has not been helped.",
        Disposition::Busy => "The line was busy. The caller has not been helped.",
        Disposition::Rejected => "The human turned the call down. The caller has not been helped.",
        Disposition::NotAccepted => {
            "Somebody or something answered and did not take the call. The caller has not been helped."
        }
        Disposition::NobodyAvailable => "Nobody was available. The caller has not been helped.",
        Disposition::Voicemail => "Nobody took the call. The caller left a message.",
        Disposition::CarrierRefused { code: _ } => {
            "The carrier could not move the call. The caller has not been helped."
        }
        Disposition::CallerHungUp => "The caller hung up before a human took the call.",
        Disposition::Unknown => "The end of the call was never reported.",
    }
}

/// How the efforts to reach a human went, a line each.
pub(super) fn course(context: &HandoffContext) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(route) = &context.reached.route {
        lines.push(format!("Route: {}", line(route)));
    }
    lines.extend(context.reached.targets.iter().map(tried));
    if let Some(talked) = context.cut_short {
        let seconds = talked.as_secs();
        lines.push(format!("Caller and human were parted after {seconds} s."));
    }
    if context.call_back {
        lines.push("The caller was told that somebody calls back.".to_owned());
    }
    if let Some(message) = &context.message {
        let seconds = message.length.as_secs();
        let url = line(message.url.expose());
        lines.push(format!("Message of {seconds} s: {url}"));
    }
    lines
}

/// Times count from the decision.
fn tried(tried: &TargetTried) -> String {
    let stages = [
        ("rang after", tried.ringing),
        ("answered after", tried.answered),
        ("taken after", tried.accepted),
    ];
    let mut told: Vec<_> = (stages.into_iter())
        .filter_map(|(stage, at)| Some(format!("{stage} {:.1} s", at?.as_secs_f64())))
        .collect();
    if let Some(end) = tried.end {
        told.push(dial_end(end));
    } else if tried.bridged.is_some() {
        told.push("caller and human talked".to_owned());
    }
    format!("{}: {}", tried.target, told.join(", "))
}

fn dial_end(end: DialEnd) -> String {
    match end {
        DialEnd::Bridged => "caller and human talked",
        DialEnd::AnsweredNotBridged => "answered and not taken",
        DialEnd::HungUpAtOnce => "hung up at once",
        DialEnd::NoAnswer => "no answer",
        DialEnd::Busy => "busy",
        DialEnd::Rejected => "turned down",
        DialEnd::Failed { code: None } => "could not be reached",
        DialEnd::Failed { code: Some(code) } => {
            return format!("could not be reached (code {code})");
        }
        DialEnd::Canceled => "given up",
        DialEnd::NobodyAvailable => "not available",
    }
    .to_owned()
}

/// Whether any line was heard by a phrase spotter.
pub(super) fn is_approximate(context: &HandoffContext) -> bool {
    context.transcript.iter().any(|line| line.approximate)
}

/// One line of the transcript, in parts.
pub(super) struct Said {
    /// When, as [`clock`] writes it.
    pub(super) at: String,
    /// Who, with `~` where a phrase spotter heard it.
    pub(super) who: String,
    /// What, flattened.
    pub(super) text: String,
    /// What a reader should know of the line: that it decided, that it was not final.
    pub(super) remark: &'static str,
}

impl Said {
    /// Takes one utterance apart for display.
    pub(super) fn of(said: &Line) -> Self {
        Self {
            at: clock(said.at),
            who: format!(
                "{}{}",
                speaker(said.speaker),
                if said.approximate { " ~" } else { "" }
            ),
            text: line(said.text.expose()),
            remark: match (said.decided, said.is_final) {
                (true, true) => " [decided the handoff]",
                (true, false) => " [decided the handoff; still being recognized]",
                (false, true) => "",
                (false, false) => " [still being recognized]",
            },
        }
    }
}

/// Renders `transcript.txt`. The same context lines give the same bytes, whatever the revision.
pub(super) fn transcript(context: &HandoffContext) -> String {
    let mut text = format!(
        "Handoff {}\nCall {} ({})\nCaller {}\nCalled {}\nAccepted {}\n",
        context.trigger.handoff,
        context.call,
        line(&context.carrier_call.0),
        party(&context.caller),
        party(&context.called),
        instant(context.accepted),
    );
    if is_approximate(context) {
        text.push_str("~ ");
        text.push_str(APPROXIMATE);
        text.push('\n');
    }
    text.push('\n');
    for line in &context.transcript {
        text.push_str(&transcript_line(line));
    }
    text
}

/// Renders one line of `transcript.txt`, with its line break.
pub(super) fn transcript_line(line: &Line) -> String {
    let said = Said::of(line);
    format!("{} {}: {}{}\n", said.at, said.who, said.text, said.remark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::sink::testing::{context, hostile_context};
    use expect_test::expect;

    #[test]
    fn transcript_names_speakers_times_and_the_line_that_decided() {
        expect![[r#"
            Handoff ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
            Call call_01KDVDNA00000G410820G41081 (CA00000000000000000000000000000002)
            Caller +15005550006
            Called +15005550001
            Accepted 2026-01-01 00:00:00 UTC

            00:01 Voice agent: Thanks for calling, how can I help?
            00:04 Caller: My refund never came.
            00:09 Caller: Get me a human. [decided the handoff]
        "#]]
        .assert_eq(&transcript(&context()));
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let text = transcript(&hostile_context());
        assert!(text.contains("~ Approximate: heard by a phrase spotter"));
        assert_eq!(text.lines().count(), 5 + 1 + 1 + 2);
        assert!(!text.contains('\u{202E}') && !text.contains('\u{200B}') && !text.contains('\0'));
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(clock(MediaTime::from_millis(59_999)), "00:59");
        assert_eq!(clock(MediaTime::from_millis(3_600_000)), "1:00:00");
        assert_eq!(
            instant(WallTime(1_767_225_600_999)),
            "2026-01-01 00:00:00 UTC"
        );
        assert_eq!(instant(WallTime(u64::MAX)), "unknown time");
    }

    #[test]
    fn sentiment_says_where_it_goes() {
        let mut context = context();
        assert_eq!(
            sentiment(&context).as_deref(),
            Some("-0.62, falling 0.30 a minute")
        );
        context.sentiment_trend = Some(0.01);
        assert_eq!(sentiment(&context).as_deref(), Some("-0.62, steady"));
        context.sentiment = None;
        assert_eq!(sentiment(&context), None);
    }
}
