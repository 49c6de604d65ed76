//! `<GetInput>`, `<GetDigits>`, `<Record>` and `<Conference>`.

use std::time::Duration;

use super::document::{Conference, GetInput, Record};
use super::reader::{Reader, attribute};
use crate::carrier::element::Element;

const DAY: u64 = 86_400;

impl Reader {
    pub(super) fn input(&mut self, element: &Element) -> Option<GetInput> {
        let timeout = if element.name == "GetInput" {
            self.get_input(element);
            self.seconds(element, "executionTimeout", 5, 60)
                .unwrap_or(Duration::from_secs(15))
        } else {
            self.get_digits(element);
            self.seconds(element, "timeout", 1, 60)
                .unwrap_or(Duration::from_secs(5))
        };
        self.flag(element, "redirect", true);
        self.flag(element, "log", true);
        self.integer(element, "numDigits", 1, 99);
        let prompts = self.prompts(element);
        let Some(action) = self.callback(element, "action", "method") else {
            if attribute(element, "action").is_none() {
                self.fault(format!("<{}> has no action", element.name));
            }
            return None;
        };
        Some(GetInput {
            prompts,
            action,
            timeout,
        })
    }

    fn get_input(&mut self, element: &Element) {
        self.attributes(
            element,
            &[
                "action",
                "method",
                "inputType",
                "executionTimeout",
                "digitEndTimeout",
                "speechEndTimeout",
                "finishOnKey",
                "numDigits",
                "speechModel",
                "hints",
                "language",
                "interimSpeechResultsCallback",
                "interimSpeechResultsCallbackMethod",
                "log",
                "redirect",
                "profanityFilter",
            ],
        );
        let kinds = ["dtmf", "speech", "dtmf speech"];
        if self.one_of(element, "inputType", &kinds).is_none()
            && attribute(element, "inputType").is_none()
        {
            self.fault("<GetInput> has no inputType");
        }
        self.flag(element, "profanityFilter", false);
    }

    fn get_digits(&mut self, element: &Element) {
        self.attributes(
            element,
            &[
                "action",
                "method",
                "timeout",
                "digitTimeout",
                "finishOnKey",
                "numDigits",
                "retries",
                "redirect",
                "playBeep",
                "validDigits",
                "invalidDigitsSound",
                "log",
            ],
        );
        self.integer(element, "retries", 1, 99);
        self.flag(element, "playBeep", false);
    }

    pub(super) fn record(&mut self, element: &Element) -> Option<Record> {
        self.attributes(
            element,
            &[
                "action",
                "method",
                "fileFormat",
                "redirect",
                "timeout",
                "maxLength",
                "playBeep",
                "finishOnKey",
                "recordSession",
                "startOnDialAnswer",
                "transcriptionType",
                "transcriptionUrl",
                "transcriptionMethod",
                "transcriptionReportType",
                "callbackUrl",
                "callbackMethod",
                "recordChannelType",
            ],
        );
        self.empty(element);
        self.one_of(element, "fileFormat", &["mp3", "wav"]);
        self.seconds(element, "timeout", 1, DAY);
        self.flag(element, "playBeep", true);
        let in_background = self.flag(element, "recordSession", false)
            | self.flag(element, "startOnDialAnswer", false);
        Some(Record {
            action: self.callback(element, "action", "method"),
            redirect: self.flag(element, "redirect", true),
            callback: self.callback(element, "callbackUrl", "callbackMethod"),
            max_length: self
                .seconds(element, "maxLength", 1, DAY)
                .unwrap_or(Duration::from_secs(60)),
            whole_session: in_background,
        })
    }

    pub(super) fn conference(&mut self, element: &Element) -> Option<Conference> {
        self.attributes(
            element,
            &[
                "muted",
                "enterSound",
                "exitSound",
                "startConferenceOnEnter",
                "endConferenceOnExit",
                "stayAlone",
                "waitSound",
                "maxMembers",
                "record",
                "recordFileFormat",
                "recordWhenAlone",
                "timeLimit",
                "hangupOnStar",
                "action",
                "method",
                "callbackUrl",
                "callbackMethod",
                "digitsMatch",
                "floorEvent",
                "redirect",
                "relayDTMF",
                "sendDigits",
                "transcriptionType",
                "transcriptionUrl",
                "transcriptionMethod",
            ],
        );
        self.no_children(element);
        for flag in [
            "muted",
            "startConferenceOnEnter",
            "endConferenceOnExit",
            "stayAlone",
            "record",
            "hangupOnStar",
            "floorEvent",
            "relayDTMF",
        ] {
            self.flag(element, flag, false);
        }
        self.integer(element, "maxMembers", 1, 20);
        if let Some(sound) = attribute(element, "waitSound") {
            self.url("waitSound of <Conference>", sound);
        }
        let room = element.text.trim();
        if room.is_empty() {
            self.fault("a <Conference> has no name");
            return None;
        }
        Some(Conference {
            room: room.to_owned(),
            action: self.callback(element, "action", "method"),
            redirect: self.flag(element, "redirect", true),
            callback: self.callback(element, "callbackUrl", "callbackMethod"),
            time_limit: self
                .seconds(element, "timeLimit", 1, DAY)
                .unwrap_or(Duration::from_secs(DAY)),
        })
    }
}
