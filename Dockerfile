# syntax=docker/dockerfile:1

FROM rust:1.95.0-bookworm AS build
WORKDIR /handoff
# The image's toolchain, whatever else rust-toolchain.toml asks for.
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/handoff/target \
    cargo build --release --locked --package handoff \
    && cp target/release/handoff /usr/local/bin/handoff

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libpocketsphinx3 pocketsphinx-en-us \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin handoff \
    && install -d -o handoff -g handoff -m 0700 /data
COPY --from=build /usr/local/bin/handoff /usr/local/bin/handoff
COPY --chmod=0755 entrypoint.sh /usr/local/bin/entrypoint
COPY LICENSE-APACHE LICENSE-MIT NOTICE assets/pocketsphinx/LICENSE-pocketsphinx-en-us.txt /usr/share/doc/handoff/
ENV HANDOFF_DATA_DIR=/data HANDOFF_LISTEN=0.0.0.0:8080
EXPOSE 8080
VOLUME /data
# There is no curl here; bash opens the connection itself.
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '200 OK' <&3"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["entrypoint"]
CMD ["serve"]
