//! `<GetInput>`, `<GetDigits>` and `<Record>`.

use std::time::Duration;

use super::dial::{KEYS, are_keys};
use super::document::{GetInput, Record};
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
        let redirect = self.flag(element, "redirect", true);
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
            redirect,
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
        let file_format = match self.one_of(element, "fileFormat", &["mp3", "wav"]) {
            Some("wav") => "wav",
            Some(_) | None => "mp3",
        };
        let silence = self.seconds(element, "timeout", 1, DAY);
        let finish_on_key = attribute(element, "finishOnKey").unwrap_or(KEYS);
        if !are_keys(finish_on_key, false) {
            self.fault(format!(
                "finishOnKey of <Record> is {finish_on_key:?}, not keys of a telephone"
            ));
        }
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
            silence: silence.unwrap_or(Duration::from_secs(15)),
            finish_on_key: finish_on_key.to_owned(),
            file_format,
            whole_session: in_background,
        })
    }
}
