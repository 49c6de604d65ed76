//! The documents, each against its golden file.

mod answer;
mod human;
mod known;
mod reach;
