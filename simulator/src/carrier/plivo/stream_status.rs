//! The status callbacks of a stream.

use super::options::StreamEventNames;
use super::stage::{Stage, bare, owned};
use super::xml::Stream;
use crate::carrier::clock::Utc;
use crate::carrier::event::Purpose;

/// What a stream status callback tells.
#[derive(Debug, Clone, Copy)]
pub(super) enum StreamEvent {
    Started,
    Stopped { seconds: u64 },
    Dropped,
    Degraded,
}

impl StreamEvent {
    fn name(self, names: StreamEventNames) -> &'static str {
        match (self, names) {
            (Self::Started, StreamEventNames::Reference) => "StartStream",
            (Self::Stopped { .. }, StreamEventNames::Reference) => "StopStream",
            (Self::Dropped, StreamEventNames::Reference) => "DroppedStream",
            (Self::Started, StreamEventNames::Guide) => "started",
            (Self::Stopped { .. }, StreamEventNames::Guide) => "stopped",
            (Self::Dropped, StreamEventNames::Guide) => "failed",
            (Self::Degraded, StreamEventNames::Reference | StreamEventNames::Guide) => {
                "DegradedStream"
            }
        }
    }
}

/// Posts the stream's status in the background, when the document asked for it.
pub(super) fn report(
    stage: &Stage,
    stream: &Stream,
    id: &str,
    event: StreamEvent,
    reason: Option<&str>,
) {
    let Some(callback) = stream.status_callback.clone() else {
        return;
    };
    let mut parameters = owned(&[
        ("CallUUID", &stage.call.uuid),
        ("StreamID", id),
        (
            "Event",
            event.name(stage.account.options.stream_event_names),
        ),
        ("Timestamp", &Utc::now().iso8601()),
        ("From", bare(&stage.call.from)),
        ("To", bare(&stage.call.to)),
        ("Direction", stage.call.direction()),
    ]);
    parameters.extend(reason.map(|reason| ("StatusReason".to_owned(), reason.to_owned())));
    if let StreamEvent::Stopped { seconds } = event {
        parameters.push(("Duration".to_owned(), seconds.to_string()));
    }
    let poster = stage.clone();
    stage.in_background(async move {
        poster
            .ask(Purpose::StreamStatus, &callback, &parameters)
            .await;
    });
}
