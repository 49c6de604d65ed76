//! `<Start><Stream>` and `<Connect><Stream>`: the server listens, or is the other party.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::carrier::event::{Attachment, Purpose};
use crate::carrier::interrupt::interruptible;
use crate::carrier::lock::lock;
use crate::carrier::twilio::call::{Fork, Order};
use crate::carrier::twilio::flow::{Action, Flow};
use crate::carrier::twilio::media::{self, StreamIdentity};
use crate::carrier::twilio::stage::Stage;
use crate::carrier::twilio::twiml::{Callback, Stream, TrackChoice};

/// Twilio counts a `both_tracks` stream as two.
const MOST_TRACKS: usize = 4;
/// How long a server may take to close a socket after `stop`.
const CLOSING: Duration = Duration::from_secs(3);

/// Begins a fork; the document goes on at once.
pub(in crate::carrier::twilio) fn start(stage: &Stage, stream: Stream) {
    let (control, stop) = mpsc::channel(1);
    let identity = StreamIdentity::next(stage);
    let name = name_of(stage, &stream).unwrap_or_else(|| identity.sid.clone());
    let tracks = match stream.track {
        TrackChoice::Inbound | TrackChoice::Outbound => 1,
        TrackChoice::Both => 2,
    };
    add_fork(
        stage,
        name,
        Fork {
            sid: identity.sid.clone(),
            tracks,
            control,
        },
    );
    stage.call.view.send_modify(|view| view.playing += 1);
    let played = stage.clone();
    stage.in_background(async move {
        media::run(&played, &stream, identity, Attachment::Start, stop).await
    });
}

/// Lets the server be the other party until it closes the socket.
pub(in crate::carrier::twilio) async fn connect(
    stage: &Stage,
    orders: &mut mpsc::Receiver<Order>,
    stream: Stream,
    action: Option<Callback>,
) -> Result<Flow, Order> {
    name_of(stage, &stream);
    stage.call.view.send_modify(|view| {
        view.playing += 1;
        view.busy = false;
    });
    let (control, stop) = mpsc::channel(1);
    let identity = StreamIdentity::next(stage);
    let mut socket = pin!(media::run(
        stage,
        &stream,
        identity,
        Attachment::Connect,
        stop
    ));
    let interrupted = interruptible(orders, &mut socket).await;
    let action = Action {
        purpose: Purpose::ConnectAction,
        callback: action,
    };
    let Err(order) = interrupted else {
        return Ok(action.follow(Vec::new()));
    };
    drop(control);
    if timeout(CLOSING, socket).await.is_err() {
        stage.violation("the server did not take `stop` and the close within 3 s");
    }
    // UNCONFIRMED whether Twilio asks for a <Connect action> when the call is rewritten. It does for
    // <Dial>, so a server must be able to bear it.
    if let Order::Rewrite(_) = &order {
        action.tell(stage, &order, Vec::new());
    }
    Err(order)
}

/// The stream's name, which no other stream of the call may have had.
fn name_of(stage: &Stage, stream: &Stream) -> Option<String> {
    let name = stream.name.clone()?;
    let taken = lock(&stage.call.state).stream_names.contains(&name);
    if taken {
        stage.violation(format!("two streams of the call are named {name:?}"));
    }
    lock(&stage.call.state).stream_names.push(name.clone());
    Some(name)
}

fn add_fork(stage: &Stage, name: String, fork: Fork) {
    let mut state = lock(&stage.call.state);
    state.forks.insert(name, fork);
    let running = state
        .forks
        .values()
        .filter(|fork| !fork.control.is_closed());
    let tracks: usize = running.map(|fork| fork.tracks).sum();
    drop(state);
    if tracks > MOST_TRACKS {
        let sentence = format!("the call forks {tracks} tracks; Twilio allows {MOST_TRACKS}");
        stage.violation(sentence);
    }
}
