//! `<MultiPartyCall>`, and the same terms as the REST API takes them for a participant.
//!
//! Source: the element and `add_participant` of PyPI `plivo` 4.63.0, read 2026-11-21.

use std::collections::BTreeMap;
use std::time::Duration;

use super::document::{MultiPartyCall, Role};
use super::reader::Reader;
use crate::carrier::callback::Method;
use crate::carrier::element::Element;
use crate::carrier::plivo::terms::{METHOD, Rule, Terms};

/// Every term by its attribute's name, its name in the REST API, and what it may say.
pub(in crate::carrier::plivo) const TERMS: &[(&str, &str, Rule)] = &[
    (
        "role",
        "role",
        Rule::OneOf(&["agent", "customer", "supervisor"]),
    ),
    ("maxDuration", "max_duration", Rule::Between(300, 28_800)),
    ("maxParticipants", "max_participants", Rule::Between(2, 10)),
    (
        "recordMinMemberCount",
        "record_min_member_count",
        Rule::Between(1, 2),
    ),
    ("waitMusicUrl", "wait_music_url", Rule::Url),
    ("waitMusicMethod", "wait_music_method", METHOD),
    ("agentHoldMusicUrl", "agent_hold_music_url", Rule::Url),
    ("agentHoldMusicMethod", "agent_hold_music_method", METHOD),
    ("customerHoldMusicUrl", "customer_hold_music_url", Rule::Url),
    (
        "customerHoldMusicMethod",
        "customer_hold_music_method",
        METHOD,
    ),
    ("record", "record", Rule::Flag),
    (
        "recordParticipantTrack",
        "record_participant_track",
        Rule::Flag,
    ),
    (
        "recordFileFormat",
        "record_file_format",
        Rule::OneOf(&["mp3", "wav"]),
    ),
    ("recordingCallbackUrl", "recording_callback_url", Rule::Url),
    (
        "recordingCallbackMethod",
        "recording_callback_method",
        METHOD,
    ),
    (
        "statusCallbackEvents",
        "status_callback_events",
        Rule::Events,
    ),
    ("statusCallbackUrl", "status_callback_url", Rule::Url),
    ("statusCallbackMethod", "status_callback_method", METHOD),
    ("stayAlone", "stay_alone", Rule::Flag),
    ("coachMode", "coach_mode", Rule::Flag),
    ("mute", "mute", Rule::Flag),
    ("hold", "hold", Rule::Flag),
    ("startMpcOnEnter", "start_mpc_on_enter", Rule::Flag),
    ("endMpcOnExit", "end_mpc_on_exit", Rule::Flag),
    ("enterSound", "enter_sound", Rule::Sound),
    ("enterSoundMethod", "enter_sound_method", METHOD),
    ("exitSound", "exit_sound", Rule::Sound),
    ("exitSoundMethod", "exit_sound_method", METHOD),
    ("onExitActionUrl", "on_exit_action_url", Rule::Url),
    ("onExitActionMethod", "on_exit_action_method", METHOD),
    ("relayDTMFInputs", "relay_dtmf_inputs", Rule::Flag),
    ("startRecordingAudio", "start_recording_audio", Rule::Url),
    (
        "startRecordingAudioMethod",
        "start_recording_audio_method",
        METHOD,
    ),
    ("stopRecordingAudio", "stop_recording_audio", Rule::Url),
    (
        "stopRecordingAudioMethod",
        "stop_recording_audio_method",
        METHOD,
    ),
    ("transcript", "transcript", Rule::Flag),
    ("transcriptionUrl", "transcription_url", Rule::Url),
];

/// The one term that the REST API does not take.
const WAIT_TIME: (&str, Rule) = ("waitTime", Rule::Between(0, 1800));

impl Terms {
    /// Makes an entry of them; `status_method` is used when they do not say how the status callback is
    /// requested, in which the element and the REST API differ.
    ///
    /// # Errors
    ///
    /// A sentence that says which term is missing, or which this stand-in cannot play.
    pub(in crate::carrier::plivo) fn entry(
        &self,
        room: String,
        status_method: Method,
    ) -> Result<MultiPartyCall, String> {
        let role = match self.get("role") {
            Some("agent") => Role::Human,
            Some("customer") => Role::Customer,
            Some("supervisor") => Role::Supervisor,
            Some(_) | None => return Err("a member of a multi-party call has no role".to_owned()),
        };
        if self.flag("hold", false) {
            return Err(
                "this stand-in cannot take a member of a multi-party call off hold".to_owned(),
            );
        }
        let events = self
            .get("statusCallbackEvents")
            .unwrap_or("mpc-state-changes,participant-state-changes");
        let tells = |kind: &str| events.split(',').any(|event| event == kind);
        Ok(MultiPartyCall {
            room,
            role,
            starts_on_enter: self.flag("startMpcOnEnter", true),
            ends_on_exit: self.flag("endMpcOnExit", false),
            stays_alone: self.flag("stayAlone", false),
            most_participants: usize::try_from(self.number("maxParticipants").unwrap_or(10))
                .unwrap_or(usize::MAX),
            max_duration: Duration::from_secs(self.number("maxDuration").unwrap_or(14_400)),
            wait_music: self.callback("waitMusicUrl", "waitMusicMethod", Method::Get),
            on_exit: self.callback("onExitActionUrl", "onExitActionMethod", Method::Post),
            status_callback: self.callback(
                "statusCallbackUrl",
                "statusCallbackMethod",
                status_method,
            ),
            tells_of_call: tells("mpc-state-changes"),
            tells_of_participants: tells("participant-state-changes"),
        })
    }
}

impl Reader {
    pub(super) fn multi_party_call(&mut self, element: &Element) -> Option<MultiPartyCall> {
        let known = TERMS.iter().map(|(name, _, rule)| (*name, *rule));
        let known: BTreeMap<_, _> = known.chain([WAIT_TIME]).collect();
        let names: Vec<_> = known.keys().copied().collect();
        self.attributes(element, &names);
        self.no_children(element);
        let mut terms = Terms::default();
        for (name, value) in &element.attributes {
            let Some((name, rule)) = known.get_key_value(name.as_str()) else {
                continue;
            };
            if let Err(wrong) = terms.take(name, *rule, value.clone()) {
                self.fault(format!("{name} of <MultiPartyCall> {wrong}"));
            }
        }
        let room = element.text.trim();
        if room.is_empty() {
            self.fault("a <MultiPartyCall> has no name");
            return None;
        }
        match terms.entry(room.to_owned(), Method::Post) {
            Ok(entry) => Some(entry),
            Err(sentence) => {
                self.fault(sentence);
                None
            }
        }
    }
}
