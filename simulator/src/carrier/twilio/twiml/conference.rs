//! `<Conference>`, and what somebody who waits is played.

use super::callee::{Conference, ConferenceEvent};
use super::document::Wait;
use super::reader::{Reader, attribute};
use crate::carrier::element::Element;

const TRUTH: &[&str] = &["true", "false"];
/// UNCONFIRMED: Twilio's page gives a bound for the name of a queue only; the same is taken here, with
/// room for an id.
const MAX_NAME_CHARACTERS: usize = 128;
const MAX_LABEL_CHARACTERS: usize = 128;

impl Reader<'_> {
    pub(super) fn conference(&mut self, element: &Element) -> Option<Conference> {
        const KNOWN: &[&str] = &[
            "muted",
            "beep",
            "startConferenceOnEnter",
            "endConferenceOnExit",
            "participantLabel",
            "jitterBufferSize",
            "waitUrl",
            "waitMethod",
            "maxParticipants",
            "record",
            "region",
            "trim",
            "coach",
            "statusCallback",
            "statusCallbackMethod",
            "statusCallbackEvent",
            "recordingStatusCallback",
            "recordingStatusCallbackMethod",
            "recordingStatusCallbackEvent",
            "eventCallbackUrl",
        ];
        self.attributes(element, KNOWN);
        self.no_children(element);
        self.one_of(element, "muted", TRUTH);
        self.one_of(element, "beep", &["true", "false", "onEnter", "onExit"]);
        self.one_of(
            element,
            "jitterBufferSize",
            &["small", "medium", "large", "off"],
        );
        self.integer(element, "maxParticipants", 2, 250);
        let starts_on_enter = self.truth(element, "startConferenceOnEnter", true);
        let ends_on_exit = self.truth(element, "endConferenceOnExit", false);
        let label = self.label(element);
        let wait = self.wait(element, "waitMethod");
        // UNCONFIRMED which events are posted when none is named; start and end are.
        let default = [ConferenceEvent::Start, ConferenceEvent::End];
        let status_callback = self.status_callback(element, ConferenceEvent::named, &default);
        let name = element.text.trim();
        if !(1..=MAX_NAME_CHARACTERS).contains(&name.chars().count()) {
            self.fault("the name of a <Conference> has 1 to 128 characters");
            return None;
        }
        Some(Conference {
            name: name.to_owned(),
            starts_on_enter,
            ends_on_exit,
            label,
            wait,
            status_callback,
        })
    }

    fn label(&mut self, element: &Element) -> Option<String> {
        let label = attribute(element, "participantLabel")?;
        if !(1..=MAX_LABEL_CHARACTERS).contains(&label.chars().count()) {
            self.fault("a participantLabel has 1 to 128 characters");
        }
        Some(label.to_owned())
    }

    pub(super) fn wait(&mut self, element: &Element, method: &str) -> Wait {
        match attribute(element, "waitUrl") {
            Some("") => Wait::Silence,
            Some(_) => self
                .callback(element, "waitUrl", method)
                .map_or(Wait::Silence, Wait::Document),
            None => {
                self.callback(element, "waitUrl", method);
                Wait::Default
            }
        }
    }

    pub(super) fn truth(&mut self, element: &Element, name: &str, default: bool) -> bool {
        self.one_of(element, name, TRUTH)
            .map_or(default, |value| value == "true")
    }
}
