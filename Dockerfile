# The image: the binary and certificates to trust, nothing else. `docker build .` makes all of it. Around a binary that is
# there already, `--build-context build=FOLDER` replaces the first stage; FOLDER/out holds what that leaves in /out.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Linked statically. With the target named, the flags leave build scripts and procedural macros alone.
RUN target=$(rustc --print host-tuple) && RUSTFLAGS=$(scripts/release/flags "$target") \
    cargo build --release --locked --target "$target"
RUN install -D -t /out target/*/release/gitbook-deploy \
    && install -D -m 644 -t /out/etc/ssl/certs /etc/ssl/certs/ca-certificates.crt

FROM scratch
ARG VERSION=unreleased
ARG REVISION=unknown
ARG SOURCE=https://github.com/gitbook-deploy/gitbook-deploy
LABEL org.opencontainers.image.title="gitbook-deploy" \
    org.opencontainers.image.description="Publishes GitBook integrations, and previews of them, from any CI system" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.source="$SOURCE" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
COPY --from=build /out /
COPY --chmod=644 LICENSE-* /usr/share/doc/gitbook-deploy/
# Started with nothing mounted, it must not search the whole file system for manifests.
WORKDIR /repo
ENTRYPOINT ["/gitbook-deploy"]
