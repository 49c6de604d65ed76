//! The token of one sink, shared by its deliveries.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use handoff_core::pii::Secret;
use tokio::time::Instant;

use super::outcome::FailureReason;
use super::sink::{Refusal, Sink};
use crate::egress::Egress;

/// A token is renewed when this much of its life is left: longer than a request takes, so that it
/// does not run out under way.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoToken {
    pub(super) after: Option<Duration>,
    pub(super) reason: FailureReason,
}

/// A token, told apart from its predecessors.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) secret: Secret,
    generation: u64,
    /// `None` if it is good until refused.
    renew_at: Option<Instant>,
}

/// The place of the token. The lock is held to copy, never while a request is under way; two
/// deliveries that miss the token at once may both ask for one, and the later answer stays.
#[derive(Debug, Default)]
pub(super) struct TokenCell(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    token: Option<Token>,
    generations: u64,
}

impl TokenCell {
    /// The token to use, asking for one if need be. `None` if the sink has no such request.
    pub(super) async fn current(
        &self,
        sink: &Sink,
        egress: &Egress,
    ) -> Result<Option<Token>, NoToken> {
        let Some(request) = sink.authorize() else {
            return Ok(None);
        };
        if let Some(token) = self.held() {
            return Ok(Some(token));
        }
        let answer = egress.send(request).await;
        let authorization = sink.interpret_authorization(answer).map_err(|refusal| {
            // Wrong credentials are tried again as well: whoever mends them at the vendor within
            // the schedule loses no delivery.
            match refusal {
                Refusal::Later { after, reason } => NoToken { after, reason },
                Refusal::Final(reason) => NoToken {
                    after: None,
                    reason,
                },
            }
        })?;
        let renew_at = authorization.valid_for.map(|valid| {
            let used = valid.saturating_sub(RENEW_BEFORE).max(valid / 2);
            Instant::now() + used
        });
        Ok(Some(self.put(authorization.token, renew_at)))
    }

    /// Forgets a token that was refused, unless it has been replaced since.
    pub(super) fn refused(&self, token: &Token) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held
            .token
            .as_ref()
            .is_some_and(|held| held.generation == token.generation)
        {
            held.token = None;
        }
    }

    fn held(&self) -> Option<Token> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |token: &&Token| token.renew_at.is_none_or(|at| Instant::now() < at);
        held.token.as_ref().filter(good).cloned()
    }

    fn put(&self, secret: Secret, renew_at: Option<Instant>) -> Token {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.generations += 1;
        let token = Token {
            secret,
            generation: held.generations,
            renew_at,
        };
        held.token = Some(token.clone());
        token
    }
}
