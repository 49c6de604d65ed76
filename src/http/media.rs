//! The media socket's way in: signature if there is one, token always.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tracing::{debug, warn};

use super::front::Front;
use super::signed::Door;
use crate::session::{Attachment, LowWater, MediaSocket};
use crate::telemetry::metrics::{self, Refusal};

/// A frame is 400 bytes. tungstenite zero-fills this much before every read, so that its default
/// of 128 KiB would cost more than all else on the path, in time and in memory.
const READ_BUFFER: usize = 512;
/// No message of the protocol is larger.
const LARGEST_MESSAGE: usize = 64 * 1024;

/// Upgrades a media socket and hands it to the task of its call.
pub(super) async fn upgrade(
    State(front): State<Front>,
    token: Result<Path<String>, PathRejection>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    connection: Option<Extension<ConnectInfo<LowWater>>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(door) = Door::of(&front, uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Err(refusal) = door.authenticate_upgrade(&uri, &headers) {
        return refusal;
    }
    // A path that is no text holds no token of ours.
    let token = token.map(|Path(token)| token).unwrap_or_default();
    let Some(call) = front.registry.call_of_token(&token) else {
        metrics::refused(Refusal::Token);
        warn!(reason = Refusal::Token.as_str(), "media socket refused");
        return (StatusCode::FORBIDDEN, "no call waits for this stream").into_response();
    };
    let registry = front.registry;
    // A listener that knows no mark leaves it at one byte, whatever the call wants.
    let low_water = connection.map_or_else(LowWater::new, |Extension(ConnectInfo(mark))| mark);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(LARGEST_MESSAGE)
        .max_message_size(LARGEST_MESSAGE)
        .max_frame_size(LARGEST_MESSAGE)
        .on_upgrade(async move |socket| {
            let socket = MediaSocket { socket, low_water };
            if registry.attach(&call, socket).await == Attachment::Gone {
                debug!("a media socket came after its call had ended");
            }
        })
}
