//! `<Conference>`.

use std::time::Duration;

use super::document::Conference;
use super::reader::{Reader, attribute, is_absolute_url};
use crate::carrier::callback::{Callback, Method};
use crate::carrier::element::Element;

const DAY: u64 = 86_400;
/// Plivo takes no more members.
const MOST_MEMBERS: u64 = 20;

impl Reader {
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
            "record",
            "recordWhenAlone",
            "hangupOnStar",
            "floorEvent",
            "relayDTMF",
        ] {
            self.flag(element, flag, false);
        }
        self.one_of(element, "recordFileFormat", &["mp3", "wav"]);
        self.digits_match(element, "digitsMatch");
        self.sound(element, "enterSound");
        self.sound(element, "exitSound");
        let most_members = self.integer(element, "maxMembers", 1, MOST_MEMBERS);
        let wait_sound = attribute(element, "waitSound")
            .and_then(|sound| self.url("waitSound of <Conference>", sound))
            .map(|url| Callback {
                url,
                method: Method::Post,
            });
        let room = element.text.trim();
        if room.is_empty() {
            self.fault("a <Conference> has no name");
            return None;
        }
        Some(Conference {
            room: room.to_owned(),
            // UNCONFIRMED: these three defaults.
            starts_on_enter: self.flag(element, "startConferenceOnEnter", true),
            ends_on_exit: self.flag(element, "endConferenceOnExit", false),
            stays_alone: self.flag(element, "stayAlone", true),
            most_members: usize::try_from(most_members.unwrap_or(MOST_MEMBERS))
                .unwrap_or(usize::MAX),
            wait_sound,
            action: self.callback(element, "action", "method"),
            redirect: self.flag(element, "redirect", true),
            callback: self.callback(element, "callbackUrl", "callbackMethod"),
            time_limit: self
                .seconds(element, "timeLimit", 1, DAY)
                .unwrap_or(Duration::from_secs(DAY)),
        })
    }

    fn sound(&mut self, element: &Element, name: &str) {
        if let Some(sound) = attribute(element, name)
            && !is_sound(sound)
        {
            self.fault(format!(
                "{name} of <{}> is {sound:?}, not beep:1, beep:2, none or an absolute URL",
                element.name
            ));
        }
    }
}

/// Whether this names a sound that is heard when somebody comes or goes.
pub(in crate::carrier::plivo) fn is_sound(written: &str) -> bool {
    ["beep:1", "beep:2", "none"].contains(&written) || is_absolute_url(written)
}
