//! A proxy in front of the sandbox that breaks connections and answers in every way that a network has.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Sandbox;
use super::servers::set;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing odd.
    None,
    /// The connection is reset before anything is read of it.
    ResetOnConnect,
    /// The connection is reset once the head of the request has come.
    ResetInRequest,
    /// The whole request has come, and the connection is reset.
    Reset(Effect),
    /// The same, but it is closed without a word.
    HangUp(Effect),
    /// The connection is reset in the middle of the answer.
    ResetInAnswer,
    /// No answer ever comes.
    Stall(Effect),
    /// No more than half of the answer ever comes.
    StallInAnswer,
    /// The answer comes by a byte a second.
    Drip,
    /// The answer ends before its length is reached.
    Cut,
    /// The answer has no length, and ends too early.
    CutWithoutLength,
    /// The request is answered by somebody else, or by GitBook in another way.
    Say(Effect, Response),
    /// The same, and by the time of the answer others have put an integration there.
    Meanwhile(Effect, Response, Value),
    /// Nobody listens any more before the connection is reset.
    ResetAndRefuse(Effect),
}

/// Whether a request is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Done,
    Lost,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// The proxy.
pub(crate) struct FaultInjector {
    endpoint: String,
    shared: Shared,
}

#[derive(Clone)]
struct Shared {
    sandbox: String,
    folder: PathBuf,
    client: reqwest::Client,
    faults: Arc<Mutex<Vec<Ordered>>>,
    requests: Arc<Mutex<Vec<String>>>,
    fault_count: Arc<AtomicUsize>,
    listening: Arc<Mutex<Option<JoinHandle<()>>>>,
    /// Tells connections that nobody is at home any more.
    closing: Arc<watch::Sender<bool>>,
}

/// A fault for the next requests of a kind.
struct Ordered {
    kind: &'static str,
    fault: Fault,
    times: usize,
}

struct Request {
    method: String,
    path: String,
    length: usize,
    authorization: String,
}

impl FaultInjector {
    pub(crate) async fn before(sandbox: &Sandbox) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let folder = sandbox.folder();
        let sandbox = sandbox.endpoint().trim_end_matches('/').to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (faults, requests, fault_count, listening, closing) = <_>::default();
        let folder = folder.to_owned();
        let shared = Shared { sandbox, folder, client, faults, requests, fault_count, listening, closing };
        let accepting = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, accepting.clone()));
            }
        });
        *shared.listening.lock().unwrap() = Some(task);
        Self { endpoint, shared }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Orders a fault for the next requests of a kind: a method, `LIST`, or `CONNECT` for a connection.
    pub(crate) fn fail(&self, kind: &'static str, fault: Fault, times: usize) {
        self.shared.faults.lock().unwrap().push(Ordered { kind, fault, times });
    }

    /// The kinds of all requests whose head has come, in their order; `CONNECT` for a connection that was reset at once.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// How many faults have come about so far.
    pub(crate) fn fault_count(&self) -> usize {
        self.shared.fault_count.load(Ordering::SeqCst)
    }
}

impl Fault {
    /// Whether the request is not passed on.
    fn loses(&self) -> bool {
        match self {
            Self::Reset(effect)
            | Self::HangUp(effect)
            | Self::Stall(effect)
            | Self::ResetAndRefuse(effect)
            | Self::Say(effect, _)
            | Self::Meanwhile(effect, ..) => *effect == Effect::Lost,
            _ => false,
        }
    }
}

impl Response {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// An error in GitBook's own words.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({"error": {"code": status, "message": message}});
        Self::new(status, body.to_string())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn head(&self, length: Option<usize>) -> String {
        let mut head = format!("HTTP/1.1 {} Said\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match length {
            Some(_) if self.status == 204 => {}
            Some(length) => head.push_str(&format!("content-length: {length}\r\n")),
            None => head.push_str("connection: close\r\n"),
        }
        head + "\r\n"
    }

    fn bytes(&self) -> Vec<u8> {
        [self.head(Some(self.body.len())).as_bytes(), self.body.as_bytes()].concat()
    }
}

impl Shared {
    fn next_fault(&self, kind: &str) -> Fault {
        let mut faults = self.faults.lock().unwrap();
        let found = faults.iter_mut().find(|ordered| ordered.kind == kind && ordered.times > 0);
        found.map_or(Fault::None, |ordered| {
            ordered.times -= 1;
            ordered.fault.clone()
        })
    }

    /// Tells that a fault has come about.
    fn count_fault(&self) {
        self.fault_count.fetch_add(1, Ordering::SeqCst);
    }

    async fn pass(&self, request: &Request, body: Vec<u8>) -> Response {
        let method = request.method.parse().unwrap();
        let passed = self.client.request(method, format!("{}{}", self.sandbox, request.path));
        let answer = passed.header("authorization", &request.authorization).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        Response::new(status, answer.text().await.unwrap())
    }

    /// From now on connections are refused.
    async fn close(&self) {
        let task = self.listening.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
            self.closing.send_replace(true);
        }
    }
}

impl Request {
    /// The next one of a connection; `None` where there is none.
    async fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) if head.is_empty() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let head = String::from_utf8(head).unwrap();
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        let authorization = header("authorization").unwrap_or_default();
        Ok(Some(Self { method, path, length, authorization }))
    }

    fn kind(&self) -> &str {
        if self.path.starts_with("/v1/orgs") { "LIST" } else { &self.method }
    }
}

async fn serve(mut stream: TcpStream, shared: Shared) -> io::Result<()> {
    if let Fault::ResetOnConnect = shared.next_fault("CONNECT") {
        shared.requests.lock().unwrap().push("CONNECT".to_owned());
        shared.count_fault();
        return reset(&stream);
    }
    let mut closing = shared.closing.subscribe();
    loop {
        let request = tokio::select! {
            biased;
            // The client may have opened one more than it needed, which would do as well.
            _ = closing.wait_for(|closing| *closing) => return reset(&stream),
            request = Request::read(&mut stream) => request?,
        };
        let Some(request) = request else { break };
        let fault = shared.next_fault(request.kind());
        shared.requests.lock().unwrap().push(request.kind().to_owned());
        if let Fault::ResetInRequest = fault {
            shared.count_fault();
            return reset(&stream);
        }
        let mut body = vec![0; request.length];
        stream.read_exact(&mut body).await?;
        let ends = answer(&mut stream, &shared, &request, body, &fault).await?;
        if ends {
            break;
        }
    }
    Ok(())
}

/// Answers a request, and says whether the connection ends with it.
async fn answer(
    stream: &mut TcpStream,
    shared: &Shared,
    request: &Request,
    body: Vec<u8>,
    fault: &Fault,
) -> io::Result<bool> {
    use Fault::{HangUp, Meanwhile, Reset, ResetAndRefuse, Say, Stall};
    let answer = if fault.loses() { Response::new(500, "") } else { shared.pass(request, body).await };
    if let Meanwhile(_, _, third_party) = fault {
        set(&shared.folder, third_party["name"].as_str().unwrap(), third_party);
    }
    let bytes = answer.bytes();
    // The head and some of the body, or, where it has none, some of the head.
    let missing = if answer.body.is_empty() { bytes.len() } else { answer.body.len() };
    let half = bytes.len() - missing.div_ceil(2);
    match fault {
        Fault::None | Fault::ResetOnConnect | Fault::ResetInRequest => {
            stream.write_all(&bytes).await?;
            return Ok(false);
        }
        Say(_, message) | Meanwhile(_, message, _) => {
            stream.write_all(&message.bytes()).await?;
            shared.count_fault();
            return Ok(false);
        }
        Reset(_) => reset(stream)?,
        HangUp(_) => {}
        ResetAndRefuse(_) => {
            shared.close().await;
            reset(stream)?;
        }
        Fault::ResetInAnswer => {
            stream.write_all(&bytes[..half]).await?;
            // Whatever was not sent yet is thrown away by a reset.
            sleep(Duration::from_millis(50)).await;
            reset(stream)?;
        }
        Fault::Cut => stream.write_all(&bytes[..half]).await?,
        Fault::CutWithoutLength => {
            let cut = &answer.body.as_bytes()[..answer.body.len() / 2];
            stream.write_all(&[answer.head(None).as_bytes(), cut].concat()).await?;
        }
        Stall(_) => {
            shared.count_fault();
            wait_for_end(stream).await;
            return Ok(true);
        }
        Fault::StallInAnswer => {
            stream.write_all(&bytes[..half]).await?;
            shared.count_fault();
            wait_for_end(stream).await;
            return Ok(true);
        }
        Fault::Drip => {
            shared.count_fault();
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                sleep(Duration::from_secs(1)).await;
            }
            return Ok(true);
        }
    }
    shared.count_fault();
    Ok(true)
}

/// A true reset: closing the socket sends RST, whatever was still to be sent.
fn reset(stream: &TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

/// Waits until the other end has had enough.
async fn wait_for_end(stream: &mut TcpStream) {
    let end = async { while stream.read(&mut [0; 64]).await.is_ok_and(|length| length > 0) {} };
    let _ = timeout(super::MAX_RUN_TIME, end).await;
}
