//! `handoff doctor`: do the credentials work? Every request here only reads.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, header};

use super::wiring;
use crate::carrier::{plivo, twilio};
use crate::config::{Config, Loaded, RecognizerChoice, SlackAccess};
use crate::egress::{Egress, EgressOptions, SendFailure};

/// One request may take this long.
const PATIENCE: Duration = Duration::from_secs(8);

/// Tries everything and prints a line each. Fails if one of them did.
pub(super) fn run(loaded: &Loaded) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let sound = runtime.block_on(examine(&loaded.config))?;
    for note in &loaded.notes {
        println!("note  {note}");
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn examine(config: &Config) -> anyhow::Result<bool> {
    let egress = Egress::new(EgressOptions::default()).context("cannot make the HTTP client")?;
    let mut sound = true;
    let mut told = |name: &str, outcome: Result<String, String>| match outcome {
        Ok(found) => println!("ok    {name}: {found}"),
        Err(trouble) => {
            sound = false;
            println!("FAIL  {name}: {trouble}");
        }
    };
    let public = config.server.public_url.at("/healthz");
    let reached = ask(&egress, Request::get(public), |_| true).await;
    told(
        "public URL",
        reached.map_err(|trouble| {
            format!("{trouble}; start `handoff serve` and see that the address leads to it")
        }),
    );
    if let Some(twilio) = &config.twilio {
        let account = wiring::account(twilio);
        let found = send(&egress, twilio::rest::fetch_account(&account), |_| true).await;
        told(
            "Twilio",
            found.map_err(|trouble| {
                format!("{trouble}; check TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and the region in twilio.base_url")
            }),
        );
    }
    if let Some(plivo) = &config.plivo {
        let account = wiring::plivo_account(plivo);
        let found = send(&egress, plivo::rest::fetch_account(&account), |_| true).await;
        told(
            "Plivo",
            found.map_err(|trouble| format!("{trouble}; check PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN")),
        );
    }
    if let RecognizerChoice::Deepgram(deepgram) = &config.recognizer {
        let projects = Request::get(deepgram.base_url.at("/v1/projects")).header(
            header::AUTHORIZATION,
            format!("Token {}", deepgram.api_key.expose()),
        );
        let found = ask(&egress, projects, |_| true).await;
        told(
            "Deepgram",
            found.map_err(|trouble| format!("{trouble}; check DEEPGRAM_API_KEY")),
        );
    }
    for sink in wiring::sinks(config) {
        if let Some(request) = sink.authorize() {
            let found = send(&egress, request, |_| true).await;
            told(
                sink.name(),
                found.map_err(|trouble| format!("{trouble}; check its client id and secret")),
            );
        }
    }
    if let Some(slack) = &config.slack
        && let SlackAccess::Bot { token, .. } = &slack.access
    {
        let test = Request::post(slack.base_url.at("/api/auth.test"))
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        let found = ask(&egress, test, |body| body.contains("\"ok\":true")).await;
        told(
            "slack",
            found.map_err(|trouble| format!("{trouble}; check SLACK_BOT_TOKEN")),
        );
    }
    Ok(sound)
}

async fn ask(
    egress: &Egress,
    request: http::request::Builder,
    sound: fn(&str) -> bool,
) -> Result<String, String> {
    let request = request
        .body(Bytes::new())
        .map_err(|error| error.to_string())?;
    send(egress, request, sound).await
}

async fn send(
    egress: &Egress,
    request: Request<Bytes>,
    sound: fn(&str) -> bool,
) -> Result<String, String> {
    match egress.send_within(PATIENCE, request).await {
        Ok(response) => {
            let body = String::from_utf8_lossy(response.body());
            if response.status().is_success() && sound(&body) {
                Ok(format!("answered {}", response.status()))
            } else {
                Err(format!("answered {}", response.status()))
            }
        }
        Err(SendFailure::NotSent) => Err("cannot be reached".to_owned()),
        Err(SendFailure::Unknown) => Err("gave no answer".to_owned()),
    }
}
