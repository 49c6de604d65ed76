//! The kinds of `[[target]]`, and which settings each has.

use handoff_core::route::{Acceptance, Joining, TargetName};
use handoff_core::spelling::distance;
use toml::Value;

use super::bounds;
use super::environment::Environment;
use super::reader::{Problems, Section};
use crate::carrier::number::E164;
use crate::carrier::target::{
    ClientIdentity, HeaderName, Keys, ParameterName, QueueName, Reach, SipCredentials, SipTarget,
    SipUri, UserToUser, UserToUserEncoding,
};
use crate::carrier::template::Template;
use crate::carrier::twilio::sid::WorkflowSid;

/// A kind of target, as the configuration names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A telephone rings.
    #[default]
    Number,
    /// A SIP address rings.
    Sip,
    /// The caller's own telephone system is sent to a SIP address.
    Refer,
    /// A queue of Twilio's.
    Queue,
    /// A workflow of Twilio's TaskRouter.
    TaskRouter,
    /// A softphone of Twilio's.
    Client,
    /// An endpoint of Plivo's.
    User,
    /// A conference to which a telephone is called.
    Conference,
    /// The same in a multi-party call of Plivo's.
    MultiPartyCall,
}

/// A text is no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is no kind of target, did you mean \"{nearest}\"? There are {all}", all = quoted(&Kind::ALL))]
pub(super) struct NoSuchKind {
    given: String,
    nearest: &'static str,
}

/// Where the secrets of a target are.
pub(super) struct Secrets<'a, 'e> {
    /// The environment.
    pub(super) env: &'a Environment<'e>,
    /// Whose they are, if it has a name.
    pub(super) target: Option<&'a TargetName>,
}

const TELEPHONES: &[Kind] = &[Kind::Number, Kind::Conference, Kind::MultiPartyCall];
const ADDRESSES: &[Kind] = &[Kind::Sip, Kind::Refer, Kind::User];

/// The settings that some kinds have and others do not.
const KEYS: [(&str, &[Kind]); 13] = [
    ("number", TELEPHONES),
    ("extension", &[Kind::Number]),
    ("uri", ADDRESSES),
    ("headers", ADDRESSES),
    ("user_to_user", &[Kind::Sip, Kind::Refer]),
    ("user_to_user_encoding", &[Kind::Sip, Kind::Refer]),
    ("username", &[Kind::Sip, Kind::User]),
    ("queue", &[Kind::Queue]),
    ("workflow", &[Kind::TaskRouter]),
    ("priority", &[Kind::TaskRouter]),
    ("identity", &[Kind::Client]),
    ("parameters", &[Kind::Client]),
    ("password", &[]),
];

impl Kind {
    const ALL: [Self; 9] = [
        Self::Number,
        Self::Sip,
        Self::Refer,
        Self::Queue,
        Self::TaskRouter,
        Self::Client,
        Self::User,
        Self::Conference,
        Self::MultiPartyCall,
    ];

    /// The word for it in the configuration and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Sip => "sip",
            Self::Refer => "refer",
            Self::Queue => "queue",
            Self::TaskRouter => "task_router",
            Self::Client => "client",
            Self::User => "user",
            Self::Conference => "conference",
            Self::MultiPartyCall => "multi_party_call",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, NoSuchKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.into_iter().map(Self::as_str);
            let nearest = names.min_by_key(|name| distance(text, name));
            NoSuchKind {
                given: text.to_owned(),
                nearest: nearest.unwrap_or_default(),
            }
        })
    }

    /// How the carrier brings caller and human together.
    pub(super) const fn joining(self) -> Joining {
        match self {
            Self::Number | Self::Sip | Self::Client | Self::User => Joining::Dial,
            Self::Queue | Self::TaskRouter => Joining::Queue,
            Self::Refer => Joining::Refer,
            Self::Conference | Self::MultiPartyCall => Joining::Conference,
        }
    }

    /// Whether who takes the call can be told something before, and asked for a key.
    pub(super) const fn can_whisper(self) -> bool {
        match self.joining() {
            Joining::Dial | Joining::Conference => true,
            Joining::Queue | Joining::Refer => false,
        }
    }

    /// What shows that a human took the call, if nothing else is said. Telephones have voicemail, and
    /// behind what is left whoever answers is there to take calls.
    pub(super) const fn acceptance(self) -> Acceptance {
        match self {
            Self::Number | Self::User | Self::Conference | Self::MultiPartyCall => Acceptance::Key,
            Self::Sip | Self::Client | Self::Queue | Self::TaskRouter | Self::Refer => {
                Acceptance::Answer
            }
        }
    }

    /// Reads what only this kind has.
    pub(super) fn read(
        self,
        section: &mut Section<'_>,
        secrets: &Secrets<'_, '_>,
        problems: &mut Problems,
    ) -> Option<Reach> {
        self.refuse_others(section, problems);
        match self {
            Self::Number => {
                let number = section.parsed("number", E164::parse, problems);
                let extension = match section.has("extension") {
                    true => Some(section.parsed("extension", Keys::parse, problems)?),
                    false => None,
                };
                Some(Reach::Number {
                    number: number?,
                    extension,
                })
            }
            Self::Conference => Some(Reach::Conference {
                number: section.parsed("number", E164::parse, problems)?,
            }),
            Self::MultiPartyCall => Some(Reach::MultiPartyCall {
                number: section.parsed("number", E164::parse, problems)?,
            }),
            Self::Sip => self.sip(section, secrets, problems).map(Reach::Sip),
            Self::Refer => self.sip(section, secrets, problems).map(Reach::Refer),
            Self::User => self.sip(section, secrets, problems).map(Reach::User),
            Self::Queue => section
                .parsed("queue", QueueName::parse, problems)
                .map(Reach::Queue),
            Self::TaskRouter => {
                let workflow = section.parsed("workflow", WorkflowSid::parse, problems);
                let priority = section
                    .has("priority")
                    .then(|| section.number("priority", &bounds::TASK_PRIORITY, problems));
                Some(Reach::TaskRouter {
                    workflow: workflow?,
                    priority,
                })
            }
            Self::Client => {
                let identity = section.parsed("identity", ClientIdentity::parse, problems);
                let parameters = templates(section, "parameters", ParameterName::parse, problems);
                Some(Reach::Client {
                    identity: identity?,
                    parameters: parameters?,
                })
            }
        }
    }

    fn sip(
        self,
        section: &mut Section<'_>,
        secrets: &Secrets<'_, '_>,
        problems: &mut Problems,
    ) -> Option<SipTarget> {
        let uri = section.parsed("uri", SipUri::parse, problems);
        let headers = templates(section, "headers", HeaderName::parse, problems);
        let user_to_user = match self.takes("user_to_user") {
            true => user_to_user(section, problems)?,
            false => None,
        };
        let credentials = match self.takes("username") && section.has("username") {
            true => Some(credentials(section, secrets, problems)?),
            false => None,
        };
        Some(SipTarget {
            uri: uri?,
            headers: headers?,
            user_to_user,
            credentials,
        })
    }

    /// Whether this kind has a setting that not all have.
    fn takes(self, key: &str) -> bool {
        let mut keys = KEYS.iter();
        keys.any(|(known, kinds)| *known == key && kinds.contains(&self))
    }

    /// A setting of another kind is a misunderstanding, not a misspelling.
    fn refuse_others(self, section: &mut Section<'_>, problems: &mut Problems) {
        for (key, kinds) in KEYS {
            // Only what is there counts as one of this table's, and is not told twice.
            if self.takes(key) || !section.contains(key) || !section.has(key) {
                continue;
            }
            let this = self.as_str();
            let message = match kinds {
                [] => "is a secret: give it in the environment (.env.example says how)".to_owned(),
                kinds => format!(
                    "belongs to kind {}, and this is one of kind \"{this}\"",
                    quoted(kinds)
                ),
            };
            problems.add(section.path(key), message);
        }
    }
}

fn user_to_user(section: &mut Section<'_>, problems: &mut Problems) -> Option<Option<UserToUser>> {
    let value = section.optional_text("user_to_user", problems);
    let encoding = section.optional_text("user_to_user_encoding", problems);
    let path = section.path("user_to_user_encoding");
    if encoding.is_some() && !section.has("user_to_user") {
        problems.add(path.as_str(), "is set without user_to_user");
    }
    let encoding = match encoding.as_deref() {
        None => Some(UserToUserEncoding::default()),
        Some("hex") => Some(UserToUserEncoding::Hex),
        Some("base64") => Some(UserToUserEncoding::Base64),
        Some(other) => {
            problems.add(path, format!("\"{other}\" must be \"hex\" or \"base64\""));
            None
        }
    };
    let Some(text) = value else { return Some(None) };
    let value = problems.keep(section.path("user_to_user"), Template::parse(&text));
    Some(Some(UserToUser {
        value: value?,
        encoding: encoding?,
    }))
}

/// A user name is in the file, its password in the environment.
fn credentials(
    section: &mut Section<'_>,
    secrets: &Secrets<'_, '_>,
    problems: &mut Problems,
) -> Option<SipCredentials> {
    let username = section.text("username", problems);
    let path = section.path("username");
    let variable = password_variable(secrets.target?);
    let Some(password) = secrets.env.secret(&variable, problems) else {
        problems.add(
            path,
            format!("has no password; set {variable} in the environment"),
        );
        return None;
    };
    problems.keep(path, SipCredentials::new(&username, password))
}

/// `HANDOFF_TARGET_FRONT_DESK_PASSWORD` for the target `front-desk`.
fn password_variable(target: &TargetName) -> String {
    let name = target.as_str().replace('-', "_").to_ascii_uppercase();
    format!("HANDOFF_TARGET_{name}_PASSWORD")
}

/// Reads texts with places in them, each by a name of its own. `None` if some cannot be used.
fn templates<N, E: std::fmt::Display>(
    section: &mut Section<'_>,
    key: &'static str,
    name: impl Fn(&str) -> Result<N, E>,
    problems: &mut Problems,
) -> Option<Vec<(N, Template)>> {
    let path = section.path(key);
    let table = match section.value(key) {
        None => return Some(Vec::new()),
        Some(Value::Table(table)) => table,
        Some(_) => {
            problems.add(
                path,
                "must be texts by name, like { handoff-id = \"{handoff}\" }",
            );
            return None;
        }
    };
    let mut read = Vec::new();
    for (given, value) in table {
        let path = format!("{path}.{given}");
        let named = problems.keep(path.as_str(), name(given));
        let Some(text) = value.as_str() else {
            problems.add(path, "must be text in quotes");
            continue;
        };
        let template = problems.keep(path, Template::parse(text));
        read.extend(named.zip(template));
    }
    (read.len() == table.len()).then_some(read)
}

/// `"sip", "refer" or "user"`.
fn quoted(kinds: &[Kind]) -> String {
    let names: Vec<String> = kinds
        .iter()
        .map(|kind| format!("\"{}\"", kind.as_str()))
        .collect();
    match names.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        names => names.concat(),
    }
}
