//! An HTTPS server with a certificate of a test certificate authority, and a proxy that counts its requests.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::extract::Path;
use axum::routing::post;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// Returns the path of the test certificate authority's certificate, for `SSL_CERT_FILE`.
pub(crate) fn authority() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/integration/fixtures/tls/authority.pem")
}

/// Starts a fake GitBook with HTTPS, and returns its URL and a counter of publishes.
pub(crate) async fn secure_gitbook() -> (String, Arc<AtomicUsize>) {
    let certificate = include_bytes!("../fixtures/tls/server.crt.der").to_vec().into();
    let key = include_bytes!("../fixtures/tls/server.key.der").to_vec().try_into().unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://localhost:{}", tcp.local_addr().unwrap().port());
    let published = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&published);
    let publish = async move |Path(name): Path<String>| {
        count.fetch_add(1, Ordering::SeqCst);
        Json(super::published(&name))
    };
    let router = axum::Router::new().route("/v1/integrations/{name}", post(publish));
    let listener = Tls { tcp, acceptor: Arc::new(config).into() };
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, published)
}

/// A TCP listener that accepts TLS connections.
struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // A client that does not trust the authority closes the connection.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// Starts an HTTP proxy that supports `CONNECT`, and returns its URL and a counter of connections.
pub(crate) async fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(tunnel(stream));
        }
    });
    (address, connections)
}

async fn tunnel(mut stream: TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let Some(target) = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else {
        return stream.write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n").await;
    };
    let mut upstream = TcpStream::connect(target).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut upstream).await.map(drop)
}
