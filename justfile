# `just` alone lists these. Each is one or two commands, so nobody needs just.

_list:
    @just --list --unsorted

# Everything that has to pass before a change is taken, but for the whole test suite.
check: lint tidy
    cargo check --workspace --all-targets

# Form and lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Layers, bans, lengths, names.
tidy:
    cargo test -p handoff --test tidy

# Licences, banned crates, advisories (needs cargo-deny).
deny:
    cargo deny check

# Every test of every package.
test *arguments:
    ./test {{arguments}}

# A recorded call through the real server, told from the webhook to the card.
demo *arguments:
    ./demo {{arguments}}

# Each stage of the media plane by itself.
bench *arguments:
    cargo bench {{arguments}}

# Makes the recorded calls and messages again (needs python3 and flite; same bytes each time).
fixtures:
    python3 fixtures/make.py
    python3 fixtures/make_wire.py
    python3 fixtures/make_wire_plivo.py

# What CI runs.
ci:
    .ci/run
