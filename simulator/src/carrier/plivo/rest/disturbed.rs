//! Orders over REST as they are carried out: late, disturbed by planned faults, or refused.

use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use tokio::time::sleep;

use super::asked::{Answer, Asked, Refusal, refusal};
use crate::carrier::connection::CutSwitch;
use crate::carrier::fault::FaultKind;
use crate::carrier::plivo::call::Call;

/// Whether an order is carried out, or only answered as if it were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Done,
    Pretended,
}

/// Carries out an order, unless a planned fault or its own form keeps it.
pub(super) async fn act<T>(
    asked: &Asked,
    call: Option<&Arc<Call>>,
    switch: &CutSwitch,
    fault: Option<FaultKind>,
    order: Result<T, Refusal>,
    carry_out: impl AsyncFnOnce(T, Deed) -> Answer,
) -> Response {
    sleep(asked.account.options.rest_delay).await;
    let answer = |answer: Answer| asked.answer(call, answer, fault.as_ref());
    let order = match order {
        Ok(order) => order,
        Err(refusal) => return answer(Err(refusal)),
    };
    match &fault {
        None => answer(carry_out(order, Deed::Done).await),
        Some(FaultKind::Delay(delay)) => {
            sleep(*delay).await;
            answer(carry_out(order, Deed::Done).await)
        }
        Some(FaultKind::TooManyRequests { retry_after }) => {
            let refused = refusal(StatusCode::TOO_MANY_REQUESTS, "too many requests");
            let mut response = answer(Err(refused));
            if let Some(seconds) = retry_after {
                let seconds = HeaderValue::from(*seconds);
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            response
        }
        Some(FaultKind::ServerError(status)) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer(Err(refusal(status, "internal server error")))
        }
        Some(FaultKind::AcceptWithoutActing) => answer(carry_out(order, Deed::Pretended).await),
        Some(FaultKind::CutBeforeActing) => {
            switch.cut();
            answer(Err(refusal(StatusCode::BAD_GATEWAY, "cut")))
        }
        Some(FaultKind::CutAfterActing) => {
            let response = answer(carry_out(order, Deed::Done).await);
            switch.cut();
            response
        }
        Some(FaultKind::HangAfterActing) => {
            answer(carry_out(order, Deed::Done).await);
            std::future::pending().await
        }
    }
}
