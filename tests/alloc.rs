//! The media plane allocates nothing per frame, shown with a counting allocator. A test binary of
//! its own, because an allocator is a whole program's.

#![expect(unsafe_code, reason = "an allocator cannot be written without it")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use handoff::base_url::BaseUrl;
use handoff::carrier::plivo::wire as plivo;
use handoff::carrier::twilio::rest::Account;
use handoff::carrier::twilio::signature::{SigningKeys, Verifier};
use handoff::carrier::twilio::wire::{self, Message, Track};
use handoff::config::{self, Environment};
use handoff::egress::{Egress, EgressOptions};
use handoff::http::{Front, TwilioDoor, router};
use handoff::journal::Journal;
use handoff::recognizer::Recognizers;
use handoff::recognizer::deepgram::{Deepgram, DeepgramOptions, Reconnect, Replay};
use handoff::session::{Carriers, Registry, Script, Surroundings, Tokens, TwilioAccount};
use handoff::targets::Targets;
use handoff_core::audio::{Ear, Sound};
use handoff_core::call::{LastResort, Mode, Policy};
use handoff_core::id::StreamId;
use handoff_core::pii::Secret;
use handoff_core::rule::RuleSet;
use handoff_core::signal::{AsksHuman, Sentiment};
use handoff_core::speech::Speaker;
use handoff_simulator::carrier::twilio::sign;
use handoff_simulator::load::{Carrier, Frames, StreamTag, Tracks, parse_stream};
use handoff_simulator::recognizer::{Recognizer, RecognizerOptions};
use metrics_exporter_prometheus::PrometheusBuilder;

/// Allocations per frame that the media plane may make (design §10).
const ALLOWED: f64 = 0.05;

struct Counting;

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
    static OWN: Cell<u64> = const { Cell::new(0) };
}
/// Allocations of the threads that run a server.
static OF_SERVERS: AtomicU64 = AtomicU64::new(0);

fn count() {
    OWN.set(OWN.get() + 1);
    if COUNTED.get() {
        OF_SERVERS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every method hands its arguments to the system's allocator unchanged; counting touches
// thread-locals without destructors and an atomic, and allocates nothing itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above, and `block` came from `System`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `System` with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const STREAM_SID: &str = "MZ00000000000000000000000000000001";

fn tag() -> StreamTag {
    StreamTag {
        stream: STREAM_SID.to_owned(),
        trailer: String::new(),
    }
}

/// The text of the simulator's pre-rendered WebSocket frames: 8 bytes of header, mask zero.
fn texts(frames: &Frames) -> Vec<String> {
    let tag = tag();
    let text = |frame: &handoff_simulator::load::Frame| {
        let mut bytes = Vec::new();
        frame.render(&tag, &mut bytes);
        String::from_utf8(bytes[8..].to_vec()).unwrap()
    };
    frames.list.iter().map(text).collect()
}

#[test]
fn reading_decoding_and_hearing_a_frame_allocates_nothing() {
    let texts = texts(&Frames::new(Carrier::Twilio, Tracks::Both, 100));
    assert_eq!(texts.len(), 10_000);
    let (mut caller, mut voice_agent) = (Ear::new(Speaker::Caller), Ear::new(Speaker::VoiceAgent));
    let (mut mulaw, mut heard) = (Vec::with_capacity(400), 0);
    let mut before = 0;
    for (index, text) in texts.iter().enumerate() {
        if index == Tracks::Both.names().len() {
            // A speaker's detector is made for the first frame.
            before = OWN.get();
        }
        let Ok(Message::Media(media)) = wire::parse(text) else {
            panic!("not media: {text}")
        };
        wire::decode_payload(media.payload.expose(), &mut mulaw).unwrap();
        let ear = match media.track {
            Track::Inbound => &mut caller,
            Track::Outbound => &mut voice_agent,
        };
        ear.hear(media.timestamp_ms, &mulaw, &mut |sound| {
            if let Sound::Window { mulaw, .. } = sound {
                heard += mulaw.len();
            }
        });
    }
    let allocations = OWN.get() - before;
    assert_eq!(heard, texts.len() * 160);
    assert_eq!(allocations, 0, "in {} frames", texts.len());
}

/// From the carrier's socket to the recognizers' sockets, the real server in this process. What a
/// call costs once is taken out by comparing a long call with a short one.
#[test]
fn reading_and_writing_a_frame_of_plivo_allocates_nothing() {
    let frames = [
        include_str!("../fixtures/wire/plivo/media-inbound.json").to_owned(),
        include_str!("../fixtures/wire/plivo/media-outbound.json").to_owned(),
        include_str!("../fixtures/wire/plivo/media-inbound.json").replace(
            "token=one-time-token;tenant=t1",
            r#"{\"token\":\"one-time-token\"}"#,
        ),
    ];
    let out = plivo::StreamOut::new(&StreamId("s-1".into()));
    let (mut mulaw, mut text) = (Vec::with_capacity(400), String::with_capacity(1_000));
    let before = OWN.get();
    for _ in 0..1_000 {
        for frame in &frames {
            let Ok(plivo::Message::Media(media)) = plivo::parse(frame) else {
                panic!("not media: {frame}")
            };
            plivo::decode_payload(media.payload.expose(), &mut mulaw).unwrap();
            out.media(&mulaw, &mut text);
        }
    }
    assert_eq!(OWN.get() - before, 0, "in {} frames", 1_000 * frames.len());
}

#[test]
fn a_frame_from_socket_to_recognizer_allocates_almost_nothing() {
    let stage = Stage::start();
    let short = Frames::new(Carrier::Twilio, Tracks::Both, 20);
    let long = Frames::new(Carrier::Twilio, Tracks::Both, 120);
    stage.call(1, &short);
    let of_short = stage.call(2, &short);
    let of_long = stage.call(3, &long);
    let frames = (long.list.len() - short.list.len()) as f64;
    let per_frame = (of_long as f64 - of_short as f64) / frames;
    eprintln!(
        "{of_short} allocations in a short call, {of_long} in a long one: {per_frame:.4} a frame"
    );
    assert!(per_frame <= ALLOWED, "{per_frame:.4} allocations per frame");
}

const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
const AUTH_TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const PUBLIC_URL: &str = "https://handoff.example.com";
/// For anything that is waited for.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server on a counted thread, and the recognizer that it sends to.
struct Stage {
    address: SocketAddr,
    recognizer: Recognizer,
    others: tokio::runtime::Runtime,
    data: PathBuf,
}

impl Stage {
    fn start() -> Self {
        let others = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = RecognizerOptions {
            keep_audio: false,
            ..RecognizerOptions::default()
        };
        let key = options.api_key.clone();
        let recognizer = others.block_on(Recognizer::start(options)).unwrap();
        let data = std::env::temp_dir().join(format!("handoff-alloc-{}", std::process::id()));
        std::fs::create_dir_all(&data).unwrap();
        let (told, address) = mpsc::sync_channel(1);
        let deepgram = deepgram(recognizer.url().replacen("ws", "http", 1), key);
        let server_data = data.clone();
        std::thread::spawn(move || {
            COUNTED.set(true);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router(front(&server_data, deepgram).await))
                    .await
                    .unwrap();
            });
        });
        let address = address.recv_timeout(DEADLINE).unwrap();
        Self {
            address,
            recognizer,
            others,
            data,
        }
    }

    /// Plays one call; the server's allocations from its first frame until the recognizers have had
    /// its last. Each 100 ms of audio goes out once those before have been heard, as they would be
    /// in a live call.
    fn call(&self, number: u32, frames: &Frames) -> u64 {
        let call = format!("CA{number:032}");
        let mut socket = self.open(&call);
        let before = OF_SERVERS.load(Ordering::Relaxed);
        let (tag, mut bytes, mut sent) = (tag(), Vec::new(), 0);
        for window in frames.list.chunks(5 * frames.per_tick) {
            for frame in window {
                frame.render(&tag, &mut bytes);
                socket.write_all(&bytes).unwrap();
            }
            sent += 160 * window.len() as u64;
            let heard = self
                .recognizer
                .wait_for(DEADLINE, "what was sent", |state| {
                    let ours = state.connections.iter().filter(|one| one.call == call);
                    (ours.map(|one| one.audio_bytes).sum::<u64>() == sent).then_some(())
                });
            self.others.block_on(heard).unwrap();
        }
        OF_SERVERS.load(Ordering::Relaxed) - before
    }

    /// Announces a call and opens its media socket, up to the `start` message.
    fn open(&self, call: &str) -> TcpStream {
        let parameters = [
            ("AccountSid", ACCOUNT_SID),
            ("CallSid", call),
            ("CallStatus", "ringing"),
            ("Direction", "inbound"),
            ("From", "+15550100001"),
            ("To", "+15550100002"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = parameters
            .each_ref()
            .map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")));
        let body = body.join("&");
        let signature = sign(
            AUTH_TOKEN,
            &format!("{PUBLIC_URL}/twilio/voice"),
            &parameters,
        );
        let mut webhook = TcpStream::connect(self.address).unwrap();
        webhook.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(
            webhook,
            "POST /twilio/voice HTTP/1.1\r\nHost: handoff.example.com\r\nConnection: close\r\n\
             X-Twilio-Signature: {signature}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        webhook.read_to_string(&mut answer).unwrap();
        let document = answer.split_once("\r\n\r\n").expect("an HTTP answer").1;
        let stream = parse_stream(Carrier::Twilio, document).unwrap();
        let path = stream
            .url
            .strip_prefix("wss://handoff.example.com")
            .unwrap();

        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: handoff.example.com\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Twilio-Signature: {}\r\n\r\n",
            sign(AUTH_TOKEN, &stream.url, &[])
        )
        .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 101 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        let (name, token) = &stream.parameters[0];
        let sid = STREAM_SID;
        let start = format!(
            r#"{{"event":"start","sequenceNumber":"1","streamSid":"{sid}","start":{{"accountSid":"{ACCOUNT_SID}","streamSid":"{sid}","callSid":"{call}","tracks":["inbound","outbound"],"mediaFormat":{{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},"customParameters":{{"{name}":"{token}"}}}}}}"#
        );
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend_from_slice(&u16::try_from(start.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(start.as_bytes());
        socket.write_all(&frame).unwrap();
        socket
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The server's journal is still open; what cannot be removed is in the system's care.
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn deepgram(base_url: String, key: String) -> DeepgramOptions {
    DeepgramOptions {
        base_url,
        api_key: Secret::new(key),
        model: "nova-3".to_owned(),
        language: "en-US".to_owned(),
        endpointing_ms: 300,
        utterance_end_ms: 1_000,
        keyterms: Vec::new(),
        mip_opt_out: true,
        connect_deadline: DEADLINE,
        keep_alive: Duration::from_secs(4),
        answer_deadline: DEADLINE,
        finish_deadline: Duration::from_secs(5),
        reconnect: Reconnect {
            first: Duration::from_millis(250),
            max: Duration::from_secs(4),
            lost_after: 4,
        },
        // No pace: the whole call is sent at once.
        replay: Replay {
            cap: Duration::from_secs(600),
            rewind: Duration::from_secs(1),
            rate: f64::INFINITY,
        },
    }
}

async fn front(data: &std::path::Path, deepgram: DeepgramOptions) -> Front {
    let set = |name: &str| {
        let value = match name {
            "HANDOFF_PUBLIC_URL" => PUBLIC_URL,
            "HANDOFF_TARGET" => "+15550100042",
            "VOICE_AGENT_URL" => "https://bot.example.com/voice",
            "TWILIO_ACCOUNT_SID" => ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN" => AUTH_TOKEN,
            _ => return None,
        };
        Some(value.to_owned())
    };
    let config = config::load(None, &Environment(&set))
        .expect("a configuration")
        .config;
    let token = Secret::new(AUTH_TOKEN);
    let egress = Egress::new(EgressOptions::default()).unwrap();
    let twilio = config.twilio.as_ref().expect("Twilio is configured");
    let account = Arc::new(TwilioAccount {
        rest: Account::new(
            &twilio.account_sid,
            &twilio.credentials,
            &BaseUrl::parse("http://127.0.0.1:9").unwrap(),
        ),
        timeout: DEADLINE,
        mode: config
            .voice_agent
            .twilio
            .clone()
            .expect("Twilio is configured"),
        script: Script::new(&config.server.public_url, &config.handoff, &config.targets),
    });
    let journal = Journal::open(&data.join("journal.sqlite")).unwrap();
    let routing = config.routing.clone();
    let targets = Targets::open(&config.targets, routing, journal.clone(), egress.clone())
        .await
        .unwrap();
    let around = Arc::new(Surroundings {
        targets: Arc::new(targets),
        carriers: Carriers {
            twilio: Some(Arc::clone(&account)),
            plivo: None,
        },
        policy: Arc::new(Policy {
            // Rules are asked once a second and at every hypothesis, which is no matter of frames.
            routes: Arc::clone(&config.routing.routes),
            unreachable: BTreeSet::new(),
            last_resort: LastResort::CallBack,
            route_deadline: Duration::from_secs(1),
            fetch_within: Duration::from_secs(3),
            bridged_after: Duration::from_secs(2),
            human_deadline: Duration::from_secs(660),
            rules: RuleSet::default(),
            asks_human: AsksHuman::new(),
            sentiment: Sentiment::new(),
            mode: Mode::Listen,
            digits_pause: config.handoff.digits_pause,
            journal_deadline: config.handoff.journal_deadline,
            rewrite_attempts: 1,
            rewrite_retry: DEADLINE,
            rewrite_evidence: DEADLINE,
            handoffs: 3,
            last_words: Duration::from_millis(1_500),
            stream_grace: DEADLINE,
            inspect_every: DEADLINE,
            maximum_age: DEADLINE,
        }),
        journal,
        egress: egress.clone(),
        recognizers: Recognizers::Deepgram(Arc::new(Deepgram::new(deepgram, egress))),
        sinks: Vec::new(),
        start_deadline: DEADLINE,
    });
    let tokens = Tokens::open(data).unwrap();
    Front {
        registry: Registry::new(Arc::clone(&around), tokens, 10),
        around,
        twilio: Some(TwilioDoor {
            verifier: Arc::new(
                Verifier::new(PUBLIC_URL, SigningKeys::AuthTokens(vec![token])).unwrap(),
            ),
            account,
        }),
        plivo: None,
        api_token: None,
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        ready: Arc::new(AtomicBool::new(true)),
    }
}
