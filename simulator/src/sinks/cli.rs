//! The `sinks` command.
pub struct Args;
pub async fn run(_: Args) {}
