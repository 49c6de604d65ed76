//! The parts of a handoff document, for the tests of every carrier's.

use handoff_core::id::{CallId, HandoffId};
use handoff_core::pii::Pii;
use handoff_core::time::WallTime;

use super::argument::{RingSeconds, Spoken, Voice, WebUrl};
use super::brief::Brief;
use super::document::{Acceptance, Handoff, HandoffUrls, RoomName};
use super::number::E164;
use super::target::{HeaderName, Reach, SipTarget, SipUri};
use super::template::Template;

/// What a [`Handoff`] borrows and is made of.
pub(super) struct Parts {
    pub(super) announcement: Spoken,
    pub(super) voice: Voice,
    pub(super) reach: Reach,
    pub(super) caller_id: Option<E164>,
    pub(super) whisper: bool,
    pub(super) acceptance: Acceptance,
    pub(super) brief: Brief,
    pub(super) urls: HandoffUrls,
}

impl Parts {
    /// A number that rings, with no whisper and nothing that a key has to accept. `urls` are below
    /// `https://bridge.example.com/<carrier>`.
    pub(super) fn new(carrier: &str) -> Self {
        let at = |path: &str| url(&format!("https://bridge.example.com/{carrier}/{path}"));
        Self {
            announcement: Spoken::new("One moment, I am connecting you to a colleague."),
            voice: Voice::default(),
            reach: Reach::Number {
                number: number("+15550100042"),
                extension: None,
            },
            caller_id: Some(number("+15550100002")),
            whisper: false,
            acceptance: Acceptance::Answer,
            brief: brief(),
            urls: HandoffUrls {
                after: at("after-dial/h1/2?a=1&b=2"),
                leg: at("leg/h1/2#rc=2"),
                whisper: at("whisper/h1/2"),
                wait: at("wait/h1/2"),
                music: None,
            },
        }
    }

    /// The same for another way to reach the human.
    pub(super) fn reaching(carrier: &str, reach: Reach) -> Self {
        Self {
            reach,
            ..Self::new(carrier)
        }
    }

    pub(super) fn handoff(&self) -> Handoff<'_> {
        Handoff {
            announcement: &self.announcement,
            voice: &self.voice,
            reach: &self.reach,
            caller_id: self.caller_id.clone(),
            ring: RingSeconds::new(25).expect("a ring time"),
            whisper: self.whisper,
            acceptance: self.acceptance,
            room: RoomName::of(&self.brief.handoff, 2),
            brief: &self.brief,
            urls: self.urls.clone(),
        }
    }
}

/// A brief in which everything is known.
pub(super) fn brief() -> Brief {
    let call = CallId::mint(WallTime(1_767_225_600_000), [7; 10]);
    let personal = |text: &str| Pii::new(text.to_owned());
    Brief {
        call: Some(call.clone()),
        caller: Some(personal("+15550100001")),
        called: Some(personal("+15550100002")),
        rule: Some("caller_asks_for_human".to_owned()),
        reason: Some(personal("asked for a human")),
        summary: Some(personal("Charged twice for order A-17 & angry.")),
        tried: Some(personal("I am sorry to hear that.")),
        transcript: vec![
            personal("caller: I was charged twice."),
            personal("voice agent: I am sorry to hear that."),
            personal("caller: Get me a human!"),
        ],
        link: Some("https://bridge.example.com/h/3Jx".to_owned()),
        ..Brief::of(HandoffId::nth(&call, 0))
    }
}

pub(super) fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

pub(super) fn url(text: &str) -> WebUrl {
    WebUrl::new(text).expect("a URL")
}

pub(super) fn template(text: &str) -> Template {
    Template::parse(text).expect("a template")
}

/// An address with headers.
pub(super) fn sip(headers: &[(&str, &str)]) -> SipTarget {
    let headers = headers
        .iter()
        .map(|(name, text)| (HeaderName::parse(name).expect("a name"), template(text)));
    SipTarget {
        uri: SipUri::parse("sip:sales@pbx.example.com;transport=tls").expect("an address"),
        headers: headers.collect(),
        user_to_user: None,
        credentials: None,
    }
}
