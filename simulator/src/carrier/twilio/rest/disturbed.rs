//! What planned faults do to a request.

use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::time::sleep;

use super::asked::{Answer, Asked, refusal};
use crate::carrier::connection::CutSwitch;
use crate::carrier::fault::FaultKind;
use crate::carrier::twilio::call::Call;

/// Answers with what `act` comes to, unless the fault disturbs it. `act` is told whether to carry the
/// request out, or only to answer as if it had been.
pub(super) async fn disturbed<F: Future<Output = Answer>>(
    asked: &Asked,
    call: Option<&Arc<Call>>,
    switch: &CutSwitch,
    fault: Option<FaultKind>,
    act: impl FnOnce(bool) -> F,
) -> Response {
    sleep(asked.account.options.rest_delay).await;
    let refused = match &fault {
        Some(FaultKind::TooManyRequests { .. }) => Some(refusal(
            StatusCode::TOO_MANY_REQUESTS,
            20429,
            "Too Many Requests",
        )),
        Some(FaultKind::ServerError(status)) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(refusal(status, 20500, "Internal Server Error"))
        }
        Some(FaultKind::CutBeforeActing) => {
            switch.cut();
            Some(refusal(StatusCode::BAD_GATEWAY, 0, "cut"))
        }
        Some(FaultKind::Delay(delay)) => {
            sleep(*delay).await;
            None
        }
        Some(
            FaultKind::HangAfterActing | FaultKind::CutAfterActing | FaultKind::AcceptWithoutActing,
        )
        | None => None,
    };
    if let Some(refused) = refused {
        let mut response = asked.answer(call, Err(refused), fault.as_ref());
        if let Some(FaultKind::TooManyRequests {
            retry_after: Some(seconds),
        }) = fault
        {
            let seconds = HeaderValue::from(seconds);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        return response;
    }
    let acts = fault != Some(FaultKind::AcceptWithoutActing);
    let response = asked.answer(call, act(acts).await, fault.as_ref());
    match fault {
        Some(FaultKind::HangAfterActing) => std::future::pending().await,
        Some(FaultKind::CutAfterActing) => switch.cut(),
        Some(
            FaultKind::TooManyRequests { .. }
            | FaultKind::ServerError(_)
            | FaultKind::Delay(_)
            | FaultKind::AcceptWithoutActing
            | FaultKind::CutBeforeActing,
        )
        | None => {}
    }
    response
}
