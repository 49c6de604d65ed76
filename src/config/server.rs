//! `[server]`: where we listen, how we are reached, where we write.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Problems, Section};
use super::{bounds, data_dir};
use crate::base_url::BaseUrl;

/// The `[server]` section.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How the carrier reaches us.
    pub public_url: BaseUrl,
    /// Holds the journal.
    pub data_dir: PathBuf,
    /// Live calls beyond which a new one is not listened to.
    pub max_calls: usize,
    /// How long live calls are waited for when the process is told to stop.
    pub drain: Duration,
}

/// Why a text is not a [`Server::listen`].
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no address; write one like \"0.0.0.0:8080\", with a port up to 65535")]
struct NotAnAddress(String);

impl Server {
    pub(super) fn read(mut section: Section<'_>, problems: &mut Problems) -> Option<Self> {
        let address = |text: &str| text.parse().map_err(|_| NotAnAddress(text.to_owned()));
        let listen = section.parsed("listen", address, problems);
        let public_url = section.text("public_url", problems);
        let public_url = if public_url.is_empty() {
            problems.add(
                "HANDOFF_PUBLIC_URL",
                "is not set; give the address the carrier reaches this server by, like \
                 \"https://handoff.example.com\"",
            );
            None
        } else {
            problems.keep(section.path("public_url"), BaseUrl::parse(&public_url))
        };
        let data_dir = section.parsed("data_dir", data_dir::parse, problems);
        let max_calls = section.number("max_calls", &bounds::MAX_CALLS, problems) as usize;
        let drain = section.duration("drain", &bounds::DRAIN, problems);
        section.finish(problems);
        Some(Self {
            listen: listen?,
            public_url: public_url?,
            data_dir: data_dir?,
            max_calls,
            drain,
        })
    }
}
