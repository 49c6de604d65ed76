//! `<Dial>`.

use std::time::Duration;

use super::callee::{Dial, Noun, Phone};
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
        let noun = match element.children.as_slice() {
            [] => Noun::Phone(Phone {
                address: self.number(element.text.trim(), None)?,
                whisper: None,
                status_callback: None,
            }),
            [noun] => {
                self.no_text(element);
                self.noun(noun)?
            }
            _ => {
                self.fault("a <Dial> with several nouns cannot be played by this stand-in");
                return None;
            }
        };
        Some(Dial {
            noun,
            timeout,
            caller_id,
            action,
            time_limit,
        })
    }

    fn noun(&mut self, element: &Element) -> Option<Noun> {
        match element.name.as_str() {
            "Number" | "Sip" | "Client" => self.phone(element).map(Noun::Phone),
            "Conference" => self.conference(element).map(Noun::Conference),
            other => {
                self.fault(format!("<Dial><{other}> cannot be played by this stand-in"));
                None
            }
        }
    }
}
