//! Hearing, frame by frame. Audio is made here or read from public recordings where those exist.

use std::path::PathBuf;
use std::time::Duration;

use super::{Ear, Sound, WINDOW_SAMPLES, mulaw};
use crate::speech::Speaker;
use crate::time::MediaTime;

/// A [`Sound`] that owns its codes.
#[derive(Clone, Debug, PartialEq)]
enum Heard {
    Window { start: u64, codes: Vec<u8> },
    Started(u64),
    Ended(u64),
    Gap(u64),
    Stale,
}

/// An ear and all it made of what it was given; times in milliseconds but for the windows.
struct Listener {
    ear: Ear,
    heard: Vec<Heard>,
}

impl Listener {
    fn new() -> Self {
        Self::of(Speaker::Caller)
    }

    fn of(speaker: Speaker) -> Self {
        let mut ear = Ear::new(speaker);
        ear.begin_stream(MediaTime(0));
        Self {
            ear,
            heard: Vec::new(),
        }
    }

    fn hear(&mut self, timestamp_ms: u64, codes: &[u8]) -> &mut Self {
        let heard = &mut self.heard;
        self.ear
            .hear(timestamp_ms, codes, &mut |sound| heard.push(own(sound)));
        self
    }

    /// Plays codes in 20 ms frames from `timestamp_ms` on.
    fn play(&mut self, timestamp_ms: u64, codes: &[u8]) -> &mut Self {
        for (index, frame) in codes.chunks(160).enumerate() {
            self.hear(timestamp_ms + 20 * index as u64, frame);
        }
        self
    }

    fn finish(&mut self) -> &mut Self {
        let heard = &mut self.heard;
        self.ear.finish(&mut |sound| heard.push(own(sound)));
        self
    }

    /// Starts and lengths of the windows.
    fn windows(&self) -> Vec<(u64, usize)> {
        let windows = self.heard.iter().filter_map(|heard| match heard {
            Heard::Window { start, codes } => Some((*start, codes.len())),
            Heard::Started(_) | Heard::Ended(_) | Heard::Gap(_) | Heard::Stale => None,
        });
        windows.collect()
    }

    /// All the codes of all windows.
    fn codes(&self) -> Vec<u8> {
        let windows = self.heard.iter().filter_map(|heard| match heard {
            Heard::Window { codes, .. } => Some(codes.as_slice()),
            Heard::Started(_) | Heard::Ended(_) | Heard::Gap(_) | Heard::Stale => None,
        });
        windows.collect::<Vec<_>>().concat()
    }

    /// Turns of speech.
    fn speech(&self) -> Vec<Heard> {
        let speech = self.heard.iter();
        let speech = speech.filter(|heard| matches!(heard, Heard::Started(_) | Heard::Ended(_)));
        speech.cloned().collect()
    }

    /// What was wrong with the frames.
    fn faults(&self) -> Vec<Heard> {
        let faults = self.heard.iter();
        let faults = faults.filter(|heard| matches!(heard, Heard::Gap(_) | Heard::Stale));
        faults.cloned().collect()
    }
}

fn own(sound: Sound<'_>) -> Heard {
    match sound {
        Sound::Window { start, mulaw, .. } => Heard::Window {
            start: start.0,
            codes: mulaw.to_vec(),
        },
        Sound::SpeechStarted { at } => Heard::Started(at.as_millis()),
        Sound::SpeechEnded { at } => Heard::Ended(at.as_millis()),
        Sound::Gap { missing } => Heard::Gap(missing.as_millis() as u64),
        Sound::Stale => Heard::Stale,
    }
}

/// Codes that differ from each other and from silence, so that a misplaced one shows.
fn pattern(samples: usize) -> Vec<u8> {
    (0..samples).map(|index| (index % 251) as u8).collect()
}

fn silence(millis: usize) -> Vec<u8> {
    vec![mulaw::SILENCE; millis * 8]
}

/// A voice-like buzz: harmonics of 120 Hz that swell and fade four times a second.
fn voice(millis: usize) -> Vec<u8> {
    let sample = |index: usize| {
        let seconds = index as f64 / 8_000.0;
        let turn = std::f64::consts::TAU * seconds;
        let buzz: f64 = (1..=20)
            .map(|harmonic| (turn * 120.0 * f64::from(harmonic)).sin() / f64::from(harmonic))
            .sum();
        let swell = 0.6 + 0.4 * (turn * 4.0).sin();
        encode((buzz * swell * 6_000.0) as i16)
    };
    (0..millis * 8).map(sample).collect()
}

/// The code whose sample lies nearest.
fn encode(sample: i16) -> u8 {
    (0..=u8::MAX)
        .min_by_key(|&code| (i32::from(mulaw::decode(code)) - i32::from(sample)).abs())
        .expect("there are codes")
}

#[test]
fn frames_become_windows_of_100_ms_with_nothing_lost() {
    let codes = pattern(2_000);
    let mut listener = Listener::new();
    listener.play(0, &codes).finish();
    assert_eq!(listener.windows(), [(0, 800), (800, 800), (1_600, 400)]);
    assert_eq!(listener.codes(), codes);
}

#[test]
fn payloads_of_any_length_are_reframed() {
    let codes = pattern(8_000);
    let mut listener = Listener::new();
    let (mut from, mut lengths) = (0, [0, 1, 999, 160, 7, 801, 2_400].iter().cycle());
    while from < codes.len() {
        let to = (from + lengths.next().unwrap()).min(codes.len());
        listener.hear(from as u64 / 8, &codes[from..to]);
        from = to;
    }
    assert_eq!(listener.windows().len(), 10);
    assert_eq!(listener.codes(), codes);
    assert_eq!(listener.faults(), []);
}

#[test]
fn lost_frames_are_heard_as_silence_so_that_time_stays() {
    let mut listener = Listener::new();
    listener.play(0, &[1; 800]).play(160, &[2; 320]);
    assert_eq!(listener.faults(), [Heard::Gap(60)]);
    assert_eq!(listener.ear.heard_to(), MediaTime::from_millis(200));
    let expected = [[1; 800].as_slice(), &[mulaw::SILENCE; 480], &[2; 320]].concat();
    assert_eq!(listener.codes(), expected);
}

#[test]
fn gaps_beyond_two_seconds_are_jumped() {
    let mut listener = Listener::new();
    listener.play(0, &[1; 960]).play(2_121, &[2; 800]);
    assert_eq!(listener.faults(), [Heard::Gap(2_001)]);
    assert_eq!(listener.windows(), [(0, 800), (800, 160), (16_968, 800)]);
}

#[test]
fn rounding_of_timestamps_is_no_loss() {
    let codes = pattern(4_000);
    let mut listener = Listener::new();
    for (index, frame) in codes.chunks(100).enumerate() {
        let jitter = [0, 19, 3][index % 3];
        listener.hear(index as u64 * 100 / 8 + jitter, frame);
    }
    assert_eq!(listener.codes(), codes);
    assert_eq!(listener.faults(), []);
}

#[test]
fn rounding_cannot_add_up() {
    let mut listener = Listener::new();
    // Each frame is 10 ms of audio that claims 12 ms.
    for index in 0..1_000 {
        listener.hear(index * 12, &[1; 80]);
    }
    let drift = 12_000_i64 - listener.ear.heard_to().as_millis() as i64;
    assert!((0..=20 + 12).contains(&drift), "{drift} ms");
}

#[test]
fn audio_that_comes_twice_is_heard_once() {
    let codes = pattern(1_600);
    let mut listener = Listener::new();
    listener.play(0, &codes[..800]);
    listener.hear(20, &codes[160..320]);
    listener.hear(60, &codes[480..1_280]);
    listener.play(160, &codes[1_280..]);
    assert_eq!(listener.faults(), [Heard::Stale, Heard::Stale]);
    assert_eq!(listener.codes(), codes);
}

#[test]
fn timestamps_that_stand_still_deafen_nobody() {
    let mut listener = Listener::new();
    for _ in 0..500 {
        listener.hear(0, &[1; 160]);
    }
    let heard = listener.ear.heard_to().as_millis();
    assert!(heard >= 10_000 - 1_040, "{heard} ms of 10,000 heard");
}

#[test]
fn absurd_timestamps_cost_nothing_and_deafen_nobody() {
    for absurd in [u64::MAX, u64::MAX / 8, 1_767_225_600_000, 600_021] {
        let mut listener = Listener::new();
        listener.play(0, &[1; 160]);
        listener.hear(absurd, &[2; 160]);
        listener.play(40, &[3; 480]).finish();
        assert_eq!(listener.windows(), [(0, 800)], "{absurd}");
        assert_eq!(listener.faults(), [], "{absurd}");
    }
}

#[test]
fn one_frame_never_gives_more_than_two_seconds_and_itself() {
    let mut listener = Listener::new();
    listener.hear(2_000, &[1; 160]);
    assert_eq!(listener.windows().len(), 20);
    listener.hear(500_000, &[1; 160]);
    assert_eq!(listener.windows().len(), 21);
}

#[test]
fn a_replacement_stream_goes_on_where_its_origin_lies() {
    let mut listener = Listener::new();
    listener.play(0, &[1; 1_600]);
    listener.ear.begin_stream(MediaTime::from_millis(500));
    listener.play(0, &[2; 800]);
    assert_eq!(listener.faults(), [Heard::Gap(300)]);
    assert_eq!(listener.windows().last(), Some(&(4_000, 800)));
}

#[test]
fn a_replacement_stream_that_claims_the_past_is_heard_in_full() {
    let mut listener = Listener::new();
    listener.play(0, &[1; 1_600]);
    listener.ear.begin_stream(MediaTime::from_millis(100));
    listener.play(0, &[2; 800]);
    assert_eq!(listener.faults(), []);
    assert_eq!(listener.windows().last(), Some(&(1_600, 800)));
}

#[test]
fn a_replacement_stream_is_timed_by_stamps_again() {
    let mut listener = Listener::new();
    listener.hear(u64::MAX, &[1; 800]);
    listener.ear.begin_stream(MediaTime::from_millis(100));
    listener.hear(100, &[2; 800]);
    assert_eq!(listener.faults(), [Heard::Gap(100)]);
}

#[test]
fn the_first_stream_of_a_late_ear_leaves_no_gap() {
    let mut listener = Listener {
        ear: Ear::new(Speaker::Human),
        heard: Vec::new(),
    };
    listener.ear.begin_stream(MediaTime::from_millis(30_000));
    listener.play(0, &silence(500));
    assert_eq!(listener.faults(), []);
    assert_eq!(listener.windows().first(), Some(&(240_000, 800)));
    assert_eq!(listener.ear.silence(), Duration::from_millis(500));
}

#[test]
fn empty_frames_are_nothing() {
    let mut listener = Listener::new();
    listener
        .hear(0, &[])
        .hear(90_000, &[])
        .hear(u64::MAX, &[])
        .finish();
    assert_eq!(listener.heard, []);
}

#[test]
fn finishing_gives_the_rest_once() {
    let mut listener = Listener::new();
    listener.play(0, &[1; 321]).finish().finish();
    assert_eq!(listener.windows(), [(0, 321)]);
}

#[test]
fn windows_carry_their_own_level() {
    let mut levels = Vec::new();
    let mut ear = Ear::new(Speaker::Caller);
    let codes = [vec![mulaw::SILENCE; 800], vec![0x80; 800], vec![0x80; 400]].concat();
    let mut sink = |sound: Sound<'_>| {
        if let Sound::Window { level_dbfs, .. } = sound {
            levels.push(level_dbfs);
        }
    };
    ear.hear(0, &codes, &mut sink);
    ear.finish(&mut sink);
    assert_eq!(levels[0], mulaw::FLOOR_DBFS);
    assert!((levels[1] - -0.17).abs() < 0.01);
    assert_eq!(levels[1], levels[2]);
    assert_eq!(ear.level_dbfs(), levels[2]);
}

#[test]
fn speech_starts_and_ends_by_media_time() {
    let mut listener = Listener::new();
    let codes = [silence(1_000), voice(2_000), silence(1_500)].concat();
    listener.play(0, &codes);
    let speech = listener.speech();
    let [Heard::Started(start), Heard::Ended(end)] = speech[..] else {
        panic!("{speech:?}");
    };
    assert!((960..=1_100).contains(&start), "started at {start} ms");
    assert!((2_900..=3_120).contains(&end), "ended at {end} ms");
    assert!(!listener.ear.is_speaking());
    let silent = listener.ear.silence().as_millis() as u64;
    assert_eq!(silent, 4_500 - end);
}

#[test]
fn a_voice_agent_speaks_where_it_is_loud() {
    let mut listener = Listener::of(Speaker::VoiceAgent);
    // Comfort noise: codes of the quietest segment, 60 dB under full scale.
    let comfort = |millis: usize| (0..millis * 8).map(|n| 0xF0 | (n * 7 % 16) as u8).collect();
    let codes = [comfort(1_000), voice(2_000), comfort(1_500)].concat();
    listener.play(0, &codes);
    let speech = listener.speech();
    let [Heard::Started(start), Heard::Ended(end)] = speech[..] else {
        panic!("{speech:?}");
    };
    assert!((960..=1_100).contains(&start), "started at {start} ms");
    assert!((2_900..=3_120).contains(&end), "ended at {end} ms");
}

#[test]
fn a_pause_for_breath_does_not_end_speech() {
    let mut listener = Listener::new();
    let codes = [silence(500), voice(1_000), silence(350), voice(1_000)].concat();
    listener.play(0, &codes);
    assert_eq!(listener.speech().len(), 1);
    assert!(listener.ear.is_speaking());
}

#[test]
fn silence_grows_with_audio_and_not_with_clicks() {
    let mut listener = Listener::new();
    let mut codes = silence(8_000);
    codes[16_000..16_080].fill(0x80);
    listener.play(0, &codes);
    assert_eq!(listener.speech(), []);
    assert_eq!(listener.ear.silence(), Duration::from_secs(8));
}

#[test]
fn a_jump_ends_speech() {
    let mut listener = Listener::new();
    listener.play(0, &[silence(500), voice(1_000)].concat());
    assert!(listener.ear.is_speaking());
    listener.hear(10_000, &silence(20));
    let speech = listener.speech();
    assert!(
        matches!(speech[..], [Heard::Started(_), Heard::Ended(_)]),
        "{speech:?}"
    );
}

/// The detector is fixed-point arithmetic carried over from C: no sound may make it fail.
#[test]
fn no_sound_makes_hearing_fail() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..40 {
        let mut listener = Listener::new();
        let codes: Vec<u8> = match round % 5 {
            0 => (0..40_000).map(|_| random() as u8).collect(),
            1 => (0..40_000)
                .map(|index| {
                    if index / 160 % 7 < 3 {
                        random() as u8
                    } else {
                        0xFF
                    }
                })
                .collect(),
            2 => (0..40_000)
                .map(|index| {
                    if index / (1 + round) % 2 == 0 {
                        0x00
                    } else {
                        0x80
                    }
                })
                .collect(),
            3 => vec![random() as u8; 40_000],
            _ => (0..40_000).map(|_| 0x70 | (random() as u8)).collect(),
        };
        listener.play(0, &codes).finish();
        assert_eq!(listener.codes(), codes);
    }
}

/// "I'd like to speak to customer support", seven seconds of a real caller.
#[test]
fn hears_a_real_caller_speak() {
    let data = std::env::var_os("HANDOFF_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let path = data.join("audio/jambonz_speak_to_customer_support_8k_mulaw.wav");
    let Ok(wav) = std::fs::read(&path) else {
        eprintln!("NOT RUN: no recording at {}", path.display());
        return;
    };
    let chunk = wav.windows(4).position(|name| name == b"data").unwrap();
    let mut listener = Listener::new();
    listener.play(0, &wav[chunk + 8..]).finish();
    let speech = listener.speech();
    assert!(
        matches!(speech.first(), Some(Heard::Started(_))),
        "{speech:?}"
    );
    assert!((1..=6).contains(&speech.len()), "{speech:?}");
    assert!(listener.windows()[0].1 == WINDOW_SAMPLES);
}
