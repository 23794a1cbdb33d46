# The image contains only the binary and trusted certificates. `docker build .` builds everything. To package an existing binary,
# replace the first stage with `--build-context build=FOLDER`; FOLDER/out holds the files of that stage's /out.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Links statically. An explicit target keeps the flags away from build scripts and procedural macros.
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
# Without a mount, the program must not search the whole file system for manifests.
WORKDIR /repo
ENTRYPOINT ["/gitbook-deploy"]
