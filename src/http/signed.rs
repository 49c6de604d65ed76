//! What a carrier posted, taken only once its signature was found to hold.
//!
//! Nothing of a request is looked at before that, not even whether its path makes sense: who cannot
//! sign learns nothing about calls, handoffs or what we can read. What cannot be read of a signed
//! request is the route's to answer, because sometimes a caller waits for the answer.
//!
//! A carrier with another scheme gets another `authenticate`; routes and [`Posted`] stay.

use std::sync::Arc;

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, MatchedPath, RawPathParams, Request};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use handoff_core::id::Carrier;
use tracing::debug;

use super::front::{Front, PlivoDoor, TwilioDoor};
use super::posted::Posted;
use crate::carrier::form::{WebhookError, parse_form};
use crate::carrier::{plivo, twilio};
use crate::session::{CarrierAccount, NoStep, Step};

/// A request that the carrier signed and that speaks of our account.
pub(super) struct Signed<T> {
    /// Our account at the carrier.
    pub(super) account: CarrierAccount,
    /// The route that it was posted to.
    pub(super) route: String,
    /// What it says, or why that cannot be read.
    pub(super) said: Result<T, WebhookError>,
    /// What its path speaks of, if we have written it and it is of a route that speaks of a handoff.
    pub(super) step: Result<Step, NoStep>,
}

impl<T: Posted> FromRequest<Front> for Signed<T> {
    type Rejection = Response;

    async fn from_request(mut request: Request, front: &Front) -> Result<Self, Response> {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let route = matched.as_ref().map_or("unknown", MatchedPath::as_str);
        let headers = std::mem::take(request.headers_mut());
        let Some(door) = Door::of(front, route) else {
            return Err(StatusCode::NOT_FOUND.into_response());
        };
        // Nobody's body is read who does not even claim to be the carrier.
        if !door.claims(&headers) {
            return Err(Front::unsigned(&"no signature", route));
        }
        let step = step(&mut request).await;
        let uri = request.uri().clone();
        let body = Bytes::from_request(request, front)
            .await
            .map_err(|refusal| refusal.into_response())?;
        let parameters = parse_form(&body);
        door.authenticate(&uri, &headers, &parameters, route)?;
        let account = door.account();
        Ok(Self {
            said: T::parse(account.carrier(), &parameters),
            account,
            route: route.to_owned(),
            step,
        })
    }
}

/// The carrier's door that a route belongs to.
pub(super) enum Door<'a> {
    Twilio(&'a TwilioDoor),
    Plivo(&'a PlivoDoor),
}

impl<'a> Door<'a> {
    pub(super) fn of(front: &'a Front, route: &str) -> Option<Self> {
        let named = |carrier: Carrier| route.trim_start_matches('/').starts_with(carrier.as_str());
        if named(Carrier::Plivo) {
            front.plivo.as_ref().map(Self::Plivo)
        } else {
            front.twilio.as_ref().map(Self::Twilio)
        }
    }

    fn claims(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Twilio(_) => headers.contains_key(twilio::signature::SIGNATURE_HEADER),
            Self::Plivo(_) => {
                headers.contains_key(plivo::signature::SIGNATURE_HEADER)
                    || headers.contains_key(plivo::signature::MAIN_SIGNATURE_HEADER)
            }
        }
    }

    fn account(&self) -> CarrierAccount {
        match self {
            Self::Twilio(door) => CarrierAccount::Twilio(Arc::clone(&door.account)),
            Self::Plivo(door) => CarrierAccount::Plivo(Arc::clone(&door.account)),
        }
    }

    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, made once"
    )]
    fn authenticate(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        parameters: &[(String, String)],
        route: &str,
    ) -> Result<(), Response> {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        match self {
            Self::Twilio(door) => {
                (door.verifier.verify_form(target, parameters, headers))
                    .map_err(|error| Front::unsigned(&error, route))?;
                let account = parameters.iter().find(|(name, _)| name == "AccountSid");
                let ours = door.account.rest.account_sid().as_str();
                if account.is_some_and(|(_, sid)| sid != ours) {
                    return Err(Front::another_account(route));
                }
                Ok(())
            }
            // What Plivo posts names no account; the token that signed it is the account's.
            Self::Plivo(door) => (door.verifier.verify_form(target, parameters, headers))
                .map_err(|error| Front::unsigned(&error, route)),
        }
    }

    /// UNCONFIRMED whether Twilio signs every upgrade, and what Plivo signs. A signature that is there
    /// must hold; without one the token is proof enough: it was only ever written into a signed answer.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, made once"
    )]
    pub(super) fn authenticate_upgrade(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Response> {
        match self {
            Self::Twilio(door) => match door.verifier.verify_upgrade(uri.path(), headers) {
                Ok(()) => Ok(()),
                Err(twilio::signature::SignatureError::Missing) => {
                    unsigned_upgrade();
                    Ok(())
                }
                Err(error) => Err(Front::unsigned(&error, "/twilio/media")),
            },
            Self::Plivo(door) => {
                let target = uri.path_and_query().map_or("/", |target| target.as_str());
                match door.verifier.verify_upgrade(target, headers) {
                    Ok(scheme) => {
                        debug!(scheme = scheme.as_str(), "media socket signed");
                        Ok(())
                    }
                    Err(plivo::signature::SignatureError::Missing) => {
                        unsigned_upgrade();
                        Ok(())
                    }
                    Err(error) => Err(Front::unsigned(&error, "/plivo/media")),
                }
            }
        }
    }
}

fn unsigned_upgrade() {
    debug!("media socket without a signature");
}

async fn step(request: &mut Request) -> Result<Step, NoStep> {
    let path: RawPathParams = request.extract_parts().await.map_err(|_| NoStep)?;
    let value = |wanted| {
        let mut named = path.iter().filter(|(name, _)| *name == wanted);
        named.next().map(|(_, value)| value).ok_or(NoStep)
    };
    Step::read(value("handoff")?, value("attempt")?, value("targets")?)
}
