//! `[server]`: where we listen, how we are reached, where we write.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Problems, Section};

/// The `[server]` section.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How the carrier reaches us: `https://host[:port][/prefix]` without a trailing slash.
    pub public_url: String,
    /// Holds the journal.
    pub data_dir: PathBuf,
    /// Live calls beyond which a new one is not listened to.
    pub max_calls: usize,
    /// How long live calls are waited for when the process is told to stop.
    pub drain: Duration,
}

impl Server {
    pub(super) fn read(mut section: Section<'_>, problems: &mut Problems) -> Self {
        let listen = section.text("listen", problems);
        let address = listen.parse().unwrap_or_else(|_| {
            problems.add(
                section.path("listen"),
                format!("\"{listen}\" is no address; write one like \"0.0.0.0:8080\""),
            );
            SocketAddr::from(([127, 0, 0, 1], 0))
        });
        let public_url = section.text("public_url", problems);
        if public_url.is_empty() {
            problems.add(
                "HANDOFF_PUBLIC_URL",
                "is not set; give the address the carrier reaches this server by, like \
                 \"https://handoff.example.com\"",
            );
        } else if !is_web_url(&public_url) || public_url.contains(['?', '#']) {
            problems.add(
                section.path("public_url"),
                format!(
                    "\"{public_url}\" must be an https:// address without query \
                     (http:// only on this machine)"
                ),
            );
        }
        let server = Self {
            listen: address,
            public_url: public_url.trim_end_matches('/').to_owned(),
            data_dir: PathBuf::from(section.text("data_dir", problems)),
            max_calls: section.number("max_calls", 1..=1_000_000, problems) as usize,
            drain: section.duration("drain", problems),
        };
        section.finish(problems);
        server
    }
}

/// Whether a URL is `https`, or `http` to this machine.
pub(super) fn is_web_url(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let Some(host) = uri.host() else { return false };
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => {
            host == "localhost"
                || host
                    .trim_matches(['[', ']'])
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        }
        Some(_) | None => false,
    }
}
