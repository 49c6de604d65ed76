//! `<Dial>`: the humans' phones, from the first ring to the action.

mod outcome;
mod ring;

pub(in crate::carrier::plivo) use ring::run;
