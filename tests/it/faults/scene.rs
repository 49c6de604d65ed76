//! A stage as one case of the fault table wants it, at either carrier.

use std::time::Duration;

use handoff_simulator::carrier::plivo::TransferFetch;
use handoff_simulator::carrier::{AfterRecording, FaultKind, Human, RestFault};

use crate::stage::{Setup, TARGET};

/// The number of the second human.
pub const SECOND: &str = "+15550100043";

/// Longer than any case takes: who has the caller to the end lets them go, or the case does.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Twilio,
    Plivo,
}

/// The recorded call of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Talks to a bot beside us and asks for a human.
    OfBot,
    /// Talks to us and presses 0.
    Ours,
}

impl At {
    pub fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Plivo => "plivo",
        }
    }
}

/// What a case changes about a stage on which everything works.
pub struct Scene {
    setup: Setup,
    handoff: String,
    /// Settings of the first target.
    first: String,
    more: String,
}

impl Scene {
    pub fn new(at: At, caller: Caller) -> Self {
        let slug = match caller {
            Caller::OfBot => "asks-for-human",
            Caller::Ours => "presses-zero",
        };
        let mut setup = match at {
            At::Twilio => Setup::of(slug),
            At::Plivo => Setup::at_plivo(slug),
        };
        let patient = AfterRecording::WaitForHandoff { grace: PATIENCE };
        setup.carrier.after_recording = patient;
        if let Some(plivo) = &mut setup.plivo {
            plivo.after_recording = patient;
        }
        setup.env("HANDOFF_TARGET", "");
        Self {
            setup,
            // A repeat waits for news of the human, and the announcement comes before any.
            handoff: "say = \"Wait.\"\nring = \"5s\"\n".to_owned(),
            first: format!("number = \"{TARGET}\"\n"),
            more: String::new(),
        }
    }

    /// The stage as the case wants it.
    pub fn setup(self) -> Setup {
        let Self {
            mut setup,
            handoff,
            first,
            more,
        } = self;
        setup.config.push_str(&format!(
            "[handoff]\n{handoff}\n[[target]]\nname = \"first\"\n{first}{more}"
        ));
        setup
    }

    /// A line of the section `[handoff]`.
    pub fn handoff(&mut self, line: &str) -> &mut Self {
        self.handoff.push_str(line);
        self.handoff.push('\n');
        self
    }

    /// A line of the first target.
    pub fn target(&mut self, line: &str) -> &mut Self {
        self.first.push_str(line);
        self.first.push('\n');
        self
    }

    /// Who answers at the first target.
    pub fn human(&mut self, human: Human) -> &mut Self {
        self.human_at(TARGET, human)
    }

    /// A second target and who answers there. The lines are its further settings.
    pub fn then(&mut self, human: Human, lines: &str) -> &mut Self {
        self.more.push_str(&format!(
            "[[target]]\nname = \"second\"\nnumber = \"{SECOND}\"\n{lines}\n"
        ));
        self.human_at(SECOND, human)
    }

    fn human_at(&mut self, number: &str, human: Human) -> &mut Self {
        let bare = number.trim_start_matches('+').to_owned();
        match &mut self.setup.plivo {
            Some(plivo) => plivo.humans.insert(bare, human),
            None => self.setup.carrier.humans.insert(number.to_owned(), human),
        };
        self
    }

    /// The caller waits in a conference for whoever answers at the first target.
    pub fn conference(&mut self) -> &mut Self {
        self.target("kind = \"conference\"")
    }

    /// Rewrites meet this fault, so many of them.
    pub fn rewrites_meet(&mut self, kind: FaultKind, times: u32) -> &mut Self {
        let fault = RestFault { kind, times };
        match &mut self.setup.plivo {
            Some(plivo) => plivo.rest_faults.push(fault),
            None => self.setup.carrier.rest_faults.push(fault),
        }
        self
    }

    /// Calls to a human meet this fault, so many of them.
    pub fn creations_meet(&mut self, kind: FaultKind, times: u32) -> &mut Self {
        let fault = RestFault { kind, times };
        match &mut self.setup.plivo {
            Some(plivo) => plivo.create_faults.push(fault),
            None => self.setup.carrier.create_faults.push(fault),
        }
        self
    }

    /// How long a request to the carrier may take.
    pub fn timeout(&mut self, wait: &str) -> &mut Self {
        let section = match self.setup.plivo {
            Some(_) => "plivo",
            None => "twilio",
        };
        let line = format!("[{section}]\ntimeout = \"{wait}\"\n");
        self.setup.config.push_str(&line);
        self
    }

    /// How long the carrier takes to answer each request.
    pub fn rest_delay(&mut self, delay: Duration) -> &mut Self {
        match &mut self.setup.plivo {
            Some(plivo) => plivo.rest_delay = delay,
            None => self.setup.carrier.rest_delay = delay,
        }
        self
    }

    /// The carrier asks what to do with the call twice.
    pub fn asked_twice(&mut self) -> &mut Self {
        match &mut self.setup.plivo {
            Some(plivo) => plivo.voice_webhook_twice = true,
            None => self.setup.carrier.voice_webhook_twice = true,
        }
        self
    }

    /// Every callback comes twice.
    pub fn told_twice(&mut self) -> &mut Self {
        match &mut self.setup.plivo {
            Some(plivo) => plivo.duplicate_callbacks = true,
            None => self.setup.carrier.duplicate_callbacks = true,
        }
        self
    }

    /// The callbacks of a leg come out of order.
    pub fn told_in_disorder(&mut self) -> &mut Self {
        match &mut self.setup.plivo {
            Some(plivo) => plivo.shuffle_leg_callbacks = true,
            None => self.setup.carrier.shuffle_leg_callbacks = true,
        }
        self
    }

    /// Nobody tells us of the end of the call.
    pub fn end_untold(&mut self) -> &mut Self {
        match &mut self.setup.plivo {
            Some(plivo) => plivo.call_status_path = None,
            None => self.setup.carrier.call_status_path = None,
        }
        self
    }

    /// Plivo fetches the document of a transfer only when the stream has ended.
    pub fn fetched_when_the_stream_ends(&mut self) -> &mut Self {
        if let Some(plivo) = &mut self.setup.plivo {
            plivo.transfer_fetch = TransferFetch::WhenStreamEnds;
        }
        self
    }

    /// How long caller and human must be joined to count as such.
    pub fn bridged_after(&mut self, wait: &'static str) -> &mut Self {
        self.setup.bridged_after = wait;
        self
    }
}
