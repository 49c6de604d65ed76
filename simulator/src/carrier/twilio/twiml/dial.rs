//! `<Dial>` and `<Number>`.

use std::time::Duration;

use super::document::{Dial, LegEvent, Number, StatusCallback};
use super::reader::{Reader, attribute};
use crate::carrier::element::Element;

impl Reader<'_> {
    pub(super) fn dial(&mut self, element: &Element) -> Option<Dial> {
        const KNOWN: &[&str] = &[
            "action",
            "method",
            "timeout",
            "timeLimit",
            "answerOnBridge",
            "callerId",
            "callReason",
            "hangupOnStar",
            "record",
            "recordingStatusCallback",
            "recordingStatusCallbackMethod",
            "recordingStatusCallbackEvent",
            "recordingTrack",
            "trim",
            "referUrl",
            "referMethod",
            "ringTone",
            "sequential",
        ];
        for misplaced in ["statusCallback", "statusCallbackEvent", "url"] {
            if attribute(element, misplaced).is_some() {
                self.fault(format!(
                    "{misplaced} belongs on <Number>, not on <Dial>, where Twilio ignores it"
                ));
            }
        }
        let known_or_misplaced: Vec<_> = KNOWN
            .iter()
            .copied()
            .chain(["statusCallback", "statusCallbackEvent", "url"])
            .collect();
        self.attributes(element, &known_or_misplaced);
        self.one_of(element, "answerOnBridge", &["true", "false"]);
        self.one_of(element, "hangupOnStar", &["true", "false"]);
        if attribute(element, "callReason").is_some_and(|reason| reason.chars().count() > 50) {
            self.fault("the callReason of a <Dial> has more than 50 characters");
        }
        let timeout = Duration::from_secs(self.integer(element, "timeout", 5, 600).unwrap_or(30));
        let time_limit = Duration::from_secs(
            self.integer(element, "timeLimit", 1, 14_400)
                .unwrap_or(14_400),
        );
        let action = self.callback(element, "action", "method");
        let caller_id = attribute(element, "callerId").map(str::to_owned);
        let number = match element.children.as_slice() {
            [] => Number {
                number: self.e164(element.text.trim())?,
                whisper: None,
                status_callback: None,
            },
            [noun] if noun.name == "Number" => {
                self.no_text(element);
                self.number(noun)?
            }
            [noun] => {
                self.fault(format!(
                    "<Dial><{}> cannot be played by this stand-in",
                    noun.name
                ));
                return None;
            }
            _ => {
                self.fault("a <Dial> with several nouns cannot be played by this stand-in");
                return None;
            }
        };
        Some(Dial {
            number,
            timeout,
            caller_id,
            action,
            time_limit,
        })
    }

    fn number(&mut self, element: &Element) -> Option<Number> {
        const KNOWN: &[&str] = &[
            "sendDigits",
            "url",
            "method",
            "byoc",
            "statusCallback",
            "statusCallbackMethod",
            "statusCallbackEvent",
            "machineDetection",
            "machineDetectionTimeout",
            "machineDetectionSpeechThreshold",
            "machineDetectionSpeechEndThreshold",
            "machineDetectionSilenceTimeout",
            "amdStatusCallback",
        ];
        self.attributes(element, KNOWN);
        self.no_children(element);
        if let Some(digits) = attribute(element, "sendDigits")
            && !digits.chars().all(|key| "0123456789ABCD*#wW".contains(key))
        {
            self.fault(format!(
                "sendDigits {digits:?} has something that is not a key or a pause"
            ));
        }
        let number = self.e164(element.text.trim())?;
        let whisper = self.callback(element, "url", "method");
        let events = self.leg_events(attribute(element, "statusCallbackEvent"));
        let status_callback = self
            .callback(element, "statusCallback", "statusCallbackMethod")
            .map(|callback| StatusCallback { callback, events });
        if status_callback.is_none() && attribute(element, "statusCallbackEvent").is_some() {
            self.fault("a <Number> has statusCallbackEvent but no statusCallback");
        }
        Some(Number {
            number,
            whisper,
            status_callback,
        })
    }

    fn leg_events(&mut self, names: Option<&str>) -> Vec<LegEvent> {
        let Some(names) = names else {
            return vec![LegEvent::Completed];
        };
        let mut events = Vec::new();
        for name in names.split(' ') {
            match name {
                "initiated" => events.push(LegEvent::Initiated),
                "ringing" => events.push(LegEvent::Ringing),
                "answered" => events.push(LegEvent::Answered),
                "completed" => events.push(LegEvent::Completed),
                unknown => self.fault(format!(
                    "statusCallbackEvent has {unknown:?}, which is no event of a leg"
                )),
            }
        }
        events
    }

    fn e164(&mut self, text: &str) -> Option<String> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let valid =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !valid {
            self.fault(format!("{text:?} is not a number in E.164 form (13224)"));
        }
        valid.then(|| text.to_owned())
    }
}
