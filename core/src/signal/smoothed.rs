//! A signal over the utterances so far: its level and where it is going.

use std::collections::VecDeque;

use crate::time::MediaTime;

/// Utterances that the trend looks back on.
const TREND_UTTERANCES: usize = 6;
/// A slope over less is noise.
const TREND_LEAST_UTTERANCES: usize = 3;
const TREND_LEAST_MINUTES: f64 = 1.0 / 6.0;
const STEEPEST: f64 = 10.0;
/// The share of a new utterance in the level: two on end make most of it.
const SHARE: f64 = 0.5;
/// The share of an utterance that says nothing either way, such as a number read out.
const SILENT_SHARE: f64 = 0.15;

/// The level and trend of a score per utterance.
///
/// The level moves half the way to each new score, from 0 at the start, so no single utterance
/// makes an extreme; a score of exactly 0 moves it little. The trend is the least-squares slope of
/// the last six scores over media time, in score per minute, from -10 to 10; 0 until three
/// utterances over ten seconds are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Smoothed {
    level: f64,
    recent: VecDeque<(f64, f64)>,
}

impl Smoothed {
    /// Takes the score of an utterance that ended at `at`.
    pub fn add(&mut self, score: f32, at: MediaTime) {
        let score = f64::from(score);
        let share = if score == 0.0 { SILENT_SHARE } else { SHARE };
        self.level += share * (score - self.level);
        if self.recent.len() == TREND_UTTERANCES {
            self.recent.pop_front();
        }
        let minutes = at.as_millis() as f64 / 60_000.0;
        self.recent.push_back((minutes, score));
    }

    /// The level, in the range of the scores.
    pub fn value(&self) -> f64 {
        self.level
    }

    /// The change of the scores per minute.
    pub fn trend(&self) -> f64 {
        let count = self.recent.len();
        if count < TREND_LEAST_UTTERANCES {
            return 0.0;
        }
        let times = self.recent.iter().map(|(minutes, _)| *minutes);
        let first = times.clone().fold(f64::INFINITY, f64::min);
        let last = times.clone().fold(f64::NEG_INFINITY, f64::max);
        if last - first < TREND_LEAST_MINUTES {
            return 0.0;
        }
        let mean_time = times.sum::<f64>() / count as f64;
        let mean_score = self.recent.iter().map(|(_, score)| score).sum::<f64>() / count as f64;
        let (mut together, mut spread) = (0.0, 0.0);
        for (minutes, score) in &self.recent {
            together += (minutes - mean_time) * (score - mean_score);
            spread += (minutes - mean_time).powi(2);
        }
        (together / spread).clamp(-STEEPEST, STEEPEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smoothed(scores: &[(u64, f32)]) -> Smoothed {
        let mut smoothed = Smoothed::default();
        for &(seconds, score) in scores {
            smoothed.add(score, MediaTime::from_millis(seconds * 1_000));
        }
        smoothed
    }

    #[test]
    fn nothing_said_is_neutral() {
        assert_eq!((smoothed(&[]).value(), smoothed(&[]).trend()), (0.0, 0.0));
    }

    #[test]
    fn one_outburst_makes_half_a_level_and_two_make_most() {
        assert!((smoothed(&[(1, -1.0)]).value() - -0.5).abs() < 1e-9);
        assert!((smoothed(&[(1, -1.0), (9, -1.0)]).value() - -0.75).abs() < 1e-9);
    }

    #[test]
    fn numbers_read_out_hardly_calm_anybody() {
        let after = smoothed(&[(1, -1.0), (9, -1.0), (12, 0.0), (15, 0.0)]);
        assert!(after.value() < -0.5, "{}", after.value());
    }

    #[test]
    fn the_trend_is_a_slope_per_minute() {
        let falling = smoothed(&[(0, 0.5), (30, 0.0), (60, -0.5)]);
        assert!((falling.trend() - -1.0).abs() < 1e-9);
        let rising = smoothed(&[(0, -0.5), (60, -0.25), (120, 0.0), (180, 0.25)]);
        assert!((rising.trend() - 0.25).abs() < 1e-9);
    }

    #[test]
    fn the_trend_forgets_and_waits() {
        let old = [(0, 1.0), (10, 1.0), (20, 1.0)];
        let new = [
            (60, -0.2),
            (70, -0.2),
            (80, -0.2),
            (90, -0.2),
            (100, -0.2),
            (110, -0.2),
        ];
        assert!(smoothed(&[&old[..], &new[..]].concat()).trend().abs() < 1e-6);
        assert_eq!(smoothed(&[(0, 1.0), (60, -1.0)]).trend(), 0.0);
        assert_eq!(smoothed(&[(5, 1.0), (5, 0.0), (5, -1.0)]).trend(), 0.0);
        assert_eq!(smoothed(&[(0, 1.0), (5, -1.0), (11, -1.0)]).trend(), -10.0);
    }
}
