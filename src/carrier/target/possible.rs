//! Which carrier has which way to a human.

use handoff_core::id::Carrier;

use super::reach::Reach;
use super::sip::SipTarget;
use crate::carrier::{plivo, twilio};

/// Why a carrier cannot reach a human that way. The message is for whoever wrote the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// REFER at Plivo (<https://www.plivo.com/docs/sip-trunking/concepts/sip-refer>, read 2026-11-21).
    #[error("SIP REFER: Plivo's Voice API has none; use kind = \"sip\"")]
    Refer,
    /// A queue at Plivo.
    #[error("queue: Plivo has none; use kind = \"conference\" or \"number\"")]
    Queue,
    /// A workflow at Plivo.
    #[error("TaskRouter: is Twilio's, Plivo has none; use kind = \"conference\" or \"number\"")]
    TaskRouter,
    /// A Twilio Client at Plivo.
    #[error("client: is Twilio's, Plivo has none; use kind = \"user\"")]
    Client,
    /// A Plivo endpoint at Twilio.
    #[error("user: is Plivo's, Twilio has none; use kind = \"sip\" or \"client\"")]
    User,
    /// A multi-party call at Twilio.
    #[error("multi-party call: is Plivo's, Twilio has none; use kind = \"conference\"")]
    MultiPartyCall,
    /// Credentials with a REFER.
    #[error("SIP REFER: carries no user name and password; leave them out")]
    ReferCredentials,
    /// The same header in two lines.
    #[error("SIP header {0}: is there twice")]
    HeaderTwice(String),
    /// More headers than Twilio takes.
    #[error(
        "SIP headers: what is always sent has {0} characters with its names, and Twilio takes {limit}",
        limit = twilio::sip::HEADERS_LIMIT_CHARS
    )]
    HeadersTooLong(usize),
    /// A header's name at Plivo.
    #[error(
        "SIP header {0}: Plivo takes up to {limit} letters and digits, like \"handoffid\"",
        limit = plivo::sip::NAME_LIMIT_CHARS
    )]
    HeaderName(String),
    /// A header's name that Plivo drops.
    #[error("SIP header {name}: Plivo keeps names that begin with {prefix} for itself")]
    HeaderReserved {
        /// The name.
        name: String,
        /// How it may not begin.
        prefix: &'static str,
    },
    /// User-to-User at Plivo.
    #[error("User-to-User: Plivo sends only headers of one's own; use headers")]
    UserToUser,
    /// A password that Plivo refuses.
    #[error("SIP password: Plivo takes 8 to 128 characters")]
    Password,
}

impl Reach {
    /// Tells whether a carrier can reach a human that way.
    ///
    /// # Errors
    ///
    /// [`Impossible`] says why not, and what could be written instead.
    pub fn possible_at(&self, carrier: Carrier) -> Result<(), Impossible> {
        match carrier {
            Carrier::Twilio => self.possible_at_twilio(),
            Carrier::Plivo => self.possible_at_plivo(),
        }
    }

    fn possible_at_twilio(&self) -> Result<(), Impossible> {
        match self {
            Self::Number { .. }
            | Self::Queue(_)
            | Self::TaskRouter { .. }
            | Self::Client { .. }
            | Self::Conference { .. } => Ok(()),
            Self::Sip(target) => headers_for_twilio(target),
            Self::Refer(target) if target.credentials.is_some() => {
                Err(Impossible::ReferCredentials)
            }
            Self::Refer(target) => headers_for_twilio(target),
            Self::User(_) => Err(Impossible::User),
            Self::MultiPartyCall { .. } => Err(Impossible::MultiPartyCall),
        }
    }

    fn possible_at_plivo(&self) -> Result<(), Impossible> {
        match self {
            Self::Number { .. } | Self::Conference { .. } | Self::MultiPartyCall { .. } => Ok(()),
            Self::Sip(target) | Self::User(target) => sip_for_plivo(target),
            Self::Refer(_) => Err(Impossible::Refer),
            Self::Queue(_) => Err(Impossible::Queue),
            Self::TaskRouter { .. } => Err(Impossible::TaskRouter),
            Self::Client { .. } => Err(Impossible::Client),
        }
    }
}

fn headers_for_twilio(target: &SipTarget) -> Result<(), Impossible> {
    headers_differ(target)?;
    let chars = twilio::sip::constant_chars(target);
    if chars > twilio::sip::HEADERS_LIMIT_CHARS {
        return Err(Impossible::HeadersTooLong(chars));
    }
    Ok(())
}

fn sip_for_plivo(target: &SipTarget) -> Result<(), Impossible> {
    headers_differ(target)?;
    if target.user_to_user.is_some() {
        return Err(Impossible::UserToUser);
    }
    for (name, _) in &target.headers {
        let text = name.as_str();
        if let Some(prefix) = plivo::sip::kept(text) {
            let name = text.to_owned();
            return Err(Impossible::HeaderReserved { name, prefix });
        }
        if !plivo::sip::is_plain(name) {
            return Err(Impossible::HeaderName(text.to_owned()));
        }
    }
    let password = (target.credentials.as_ref()).map(|known| known.password().expose().len());
    match password {
        Some(length) if !(8..=128).contains(&length) => Err(Impossible::Password),
        Some(_) | None => Ok(()),
    }
}

fn headers_differ(target: &SipTarget) -> Result<(), Impossible> {
    let names: Vec<&str> = (target.headers.iter())
        .map(|(name, _)| name.as_str())
        .collect();
    let twice = (names.iter().enumerate()).find(|(at, name)| {
        names[..*at]
            .iter()
            .any(|one| one.eq_ignore_ascii_case(name))
    });
    match twice {
        Some((_, name)) => Err(Impossible::HeaderTwice((*name).to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use handoff_core::pii::Secret;

    use super::*;
    use crate::carrier::number::{E164, party};
    use crate::carrier::target::{
        ClientIdentity, QueueName, SipCredentials, UserToUser, UserToUserEncoding,
    };
    use crate::carrier::testing::{self, sip, template};
    use crate::carrier::twilio::sid::WorkflowSid;

    fn number() -> E164 {
        testing::number("+15550100042")
    }

    fn check(reach: &Reach, expected: Expect) {
        let at = |carrier| match reach.possible_at(carrier) {
            Ok(()) => "yes".to_owned(),
            Err(error) => error.to_string(),
        };
        let (twilio, plivo) = (at(Carrier::Twilio), at(Carrier::Plivo));
        expected.assert_eq(&format!("twilio: {twilio}\nplivo: {plivo}"));
    }

    #[test]
    fn each_carrier_has_its_own_ways() {
        let workflow = WorkflowSid::parse(&format!("WW{}", "0".repeat(32))).expect("a workflow");
        check(
            &Reach::Number {
                number: number(),
                extension: None,
            },
            expect![[r#"
                twilio: yes
                plivo: yes"#]],
        );
        check(
            &Reach::Sip(sip(&[])),
            expect![[r#"
            twilio: yes
            plivo: yes"#]],
        );
        check(
            &Reach::Refer(sip(&[])),
            expect![[r#"
            twilio: yes
            plivo: SIP REFER: Plivo's Voice API has none; use kind = "sip""#]],
        );
        check(
            &Reach::Queue(QueueName::parse("support").expect("a name")),
            expect![[r#"
                twilio: yes
                plivo: queue: Plivo has none; use kind = "conference" or "number""#]],
        );
        check(
            &Reach::TaskRouter {
                workflow,
                priority: None,
            },
            expect![[r#"
                twilio: yes
                plivo: TaskRouter: is Twilio's, Plivo has none; use kind = "conference" or "number""#]],
        );
        check(
            &Reach::Client {
                identity: ClientIdentity::parse("ann").expect("an identity"),
                parameters: Vec::new(),
            },
            expect![[r#"
                twilio: yes
                plivo: client: is Twilio's, Plivo has none; use kind = "user""#]],
        );
        check(
            &Reach::User(sip(&[])),
            expect![[r#"
            twilio: user: is Plivo's, Twilio has none; use kind = "sip" or "client"
            plivo: yes"#]],
        );
        check(
            &Reach::Conference { number: number() },
            expect![[r#"
            twilio: yes
            plivo: yes"#]],
        );
        check(
            &Reach::MultiPartyCall { number: number() },
            expect![[r#"
            twilio: multi-party call: is Plivo's, Twilio has none; use kind = "conference"
            plivo: yes"#]],
        );
    }

    #[test]
    fn headers_have_to_be_what_the_carrier_sends() {
        check(
            &Reach::Sip(sip(&[("x-handoffid", "{handoff}"), ("rule", "{rule}")])),
            expect![[r#"
                twilio: yes
                plivo: yes"#]],
        );
        check(
            &Reach::Sip(sip(&[("x-handoff-id", "{handoff}")])),
            expect![[r#"
                twilio: yes
                plivo: SIP header handoff-id: Plivo takes up to 24 letters and digits, like "handoffid""#]],
        );
        check(
            &Reach::Sip(sip(&[("plivoid", "1")])),
            expect![[r#"
            twilio: yes
            plivo: SIP header plivoid: Plivo keeps names that begin with Plivo for itself"#]],
        );
        check(
            &Reach::Sip(sip(&[("zt-id", "1")])),
            expect![[r#"
            twilio: yes
            plivo: SIP header zt-id: Plivo keeps names that begin with ZT- for itself"#]],
        );
        check(
            &Reach::Sip(sip(&[("abcdefghijklmnopqrstuvwxy", "1")])),
            expect![[r#"
            twilio: yes
            plivo: SIP header abcdefghijklmnopqrstuvwxy: Plivo takes up to 24 letters and digits, like "handoffid""#]],
        );
        check(
            &Reach::Sip(sip(&[("P-Called-Party-ID", "1")])),
            expect![[r#"
            twilio: yes
            plivo: SIP header P-Called-Party-ID: Plivo takes up to 24 letters and digits, like "handoffid""#]],
        );
        check(
            &Reach::Sip(sip(&[("x-Id", "1"), ("id", "2")])),
            expect![[r#"
            twilio: SIP header id: is there twice
            plivo: SIP header id: is there twice"#]],
        );
        check(
            &Reach::Sip(SipTarget {
                user_to_user: Some(UserToUser {
                    value: template("{handoff}"),
                    encoding: UserToUserEncoding::Hex,
                }),
                ..sip(&[])
            }),
            expect![[r#"
                twilio: yes
                plivo: User-to-User: Plivo sends only headers of one's own; use headers"#]],
        );
    }

    #[test]
    fn headers_that_are_always_sent_have_to_fit() {
        let of = |length: usize| Reach::Sip(sip(&[("a", &"x".repeat(length))]));
        // `?x-a=` and the value.
        assert_eq!(of(1_018).possible_at(Carrier::Twilio), Ok(()));
        check(
            &of(1_019),
            expect![[r#"
            twilio: SIP headers: what is always sent has 1024 characters with its names, and Twilio takes 1023
            plivo: yes"#]],
        );
        check(
            &Reach::Sip(sip(&[("a", "{summary}"), ("b", &"é".repeat(171))])),
            expect![[r#"
                twilio: SIP headers: what is always sent has 1031 characters with its names, and Twilio takes 1023
                plivo: yes"#]],
        );
    }

    #[test]
    fn credentials_have_to_be_what_the_carrier_takes() {
        let with = |password: &str| SipTarget {
            credentials: SipCredentials::new("ann", Secret::new(password)).ok(),
            ..sip(&[])
        };
        check(
            &Reach::Sip(with("12345678")),
            expect![[r#"
            twilio: yes
            plivo: yes"#]],
        );
        check(
            &Reach::Sip(with("1234567")),
            expect![[r#"
            twilio: yes
            plivo: SIP password: Plivo takes 8 to 128 characters"#]],
        );
        check(
            &Reach::Refer(with("12345678")),
            expect![[r#"
            twilio: SIP REFER: carries no user name and password; leave them out
            plivo: SIP REFER: Plivo's Voice API has none; use kind = "sip""#]],
        );
    }

    #[test]
    fn only_callers_from_a_sip_address_are_referred() {
        let refer = Reach::Refer(sip(&[]));
        for (caller, suits) in [
            ("sip:ann@pbx.example.com", true),
            ("+15550100001", false),
            ("client:ann", false),
            ("anonymous", false),
        ] {
            let caller = party(caller);
            assert_eq!(refer.suits(&caller), suits, "{caller:?}");
            assert!(Reach::Sip(sip(&[])).suits(&caller));
        }
    }

    #[test]
    fn somebody_can_be_rung_without_us_where_somebody_rings() {
        let conference = Reach::Conference { number: number() };
        let rung = conference.without_us();
        assert!(matches!(
            rung,
            Some(Reach::Number { extension: None, number }) if number.expose() == "+15550100042"
        ));
        assert!(Reach::Sip(sip(&[])).without_us().is_some());
        assert!(Reach::Refer(sip(&[])).without_us().is_none());
    }
}
