//! A proxy in front of the sandbox that injects network faults.

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

/// A fault of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// No fault.
    None,
    /// Resets a new connection before the first request is read.
    ResetOnConnect,
    /// Resets the connection after the head of the request.
    ResetInRequest,
    /// Resets the connection after the whole request.
    Reset(Effect),
    /// Closes the connection after the whole request.
    HangUp(Effect),
    /// Resets the connection after half of the response.
    ResetInResponse,
    /// Never responds.
    Stall(Effect),
    /// Sends half of the response, and keeps the connection open.
    StallInResponse,
    /// Sends the response with one byte per second.
    Drip,
    /// Closes the connection after half of the response, which is shorter than its `Content-Length`.
    Cut,
    /// Closes the connection after half of the body. The response has no `Content-Length`.
    CutWithoutLength,
    /// Sends this response instead of the sandbox's response.
    Respond(Effect, Response),
    /// Publishes this integration to the sandbox like another user, then sends this response.
    RespondAfterChange(Effect, Response, Value),
    /// Refuses new connections from now on, and resets the existing ones.
    ResetAndRefuse(Effect),
}

/// The effect of a request with a fault: `Applied` if it is forwarded to the sandbox, `Dropped` if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Applied,
    Dropped,
}

/// A response that the proxy sends.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// A proxy in front of a sandbox that injects faults.
pub(crate) struct FaultInjector {
    endpoint: String,
    shared: Shared,
}

#[derive(Clone)]
struct Shared {
    sandbox: String,
    folder: PathBuf,
    client: reqwest::Client,
    faults: Arc<Mutex<Vec<ScheduledFault>>>,
    requests: Arc<Mutex<Vec<String>>>,
    fault_count: Arc<AtomicUsize>,
    listening: Arc<Mutex<Option<JoinHandle<()>>>>,
    /// Notifies connections that the proxy has stopped listening.
    closing: Arc<watch::Sender<bool>>,
}

/// A fault for the next `times` requests of a kind.
struct ScheduledFault {
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

    /// Injects a fault into the next `times` requests of a kind: a method such as `POST`, `LIST` for a list of integrations, or
    /// `CONNECT` for a new connection.
    pub(crate) fn fail(&self, kind: &'static str, fault: Fault, times: usize) {
        self.shared.faults.lock().unwrap().push(ScheduledFault { kind, fault, times });
    }

    /// Returns the kinds of all requests in order. `CONNECT` stands for a connection that was reset before its first request.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Returns the number of injected faults so far.
    pub(crate) fn fault_count(&self) -> usize {
        self.shared.fault_count.load(Ordering::SeqCst)
    }
}

impl Fault {
    /// Returns true if the fault keeps the request from the sandbox.
    fn loses_request(&self) -> bool {
        match self {
            Self::Reset(effect)
            | Self::HangUp(effect)
            | Self::Stall(effect)
            | Self::ResetAndRefuse(effect)
            | Self::Respond(effect, _)
            | Self::RespondAfterChange(effect, ..) => *effect == Effect::Dropped,
            _ => false,
        }
    }
}

impl Response {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Returns an error in GitBook's format.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({"error": {"code": status, "message": message}});
        Self::new(status, body.to_string())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn head(&self, length: Option<usize>) -> String {
        let mut head = format!("HTTP/1.1 {} Injected\r\n", self.status);
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
        let next = faults.iter_mut().find(|scheduled| scheduled.kind == kind && scheduled.times > 0);
        next.map_or(Fault::None, |scheduled| {
            scheduled.times -= 1;
            scheduled.fault.clone()
        })
    }

    fn count_fault(&self) {
        self.fault_count.fetch_add(1, Ordering::SeqCst);
    }

    async fn forward(&self, request: &Request, body: Vec<u8>) -> Response {
        let method = request.method.parse().unwrap();
        let forwarded = self.client.request(method, format!("{}{}", self.sandbox, request.path));
        let answer =
            forwarded.header("authorization", &request.authorization).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        Response::new(status, answer.text().await.unwrap())
    }

    /// Stops listening, and makes all connections reset.
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
    /// Reads the head of the next request of a connection. Returns `None` if the client has closed the connection.
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
            // The client may have opened another connection in advance.
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

/// Responds to a request with its fault. Returns true if the connection must end.
async fn answer(
    stream: &mut TcpStream,
    shared: &Shared,
    request: &Request,
    body: Vec<u8>,
    fault: &Fault,
) -> io::Result<bool> {
    use Fault::{HangUp, Reset, ResetAndRefuse, Respond, RespondAfterChange, Stall};
    let answer =
        if fault.loses_request() { Response::new(500, "") } else { shared.forward(request, body).await };
    if let RespondAfterChange(_, _, third_party) = fault {
        set(&shared.folder, third_party["name"].as_str().unwrap(), third_party);
    }
    let bytes = answer.bytes();
    // Half of the body, or half of the head if there is no body.
    let missing = if answer.body.is_empty() { bytes.len() } else { answer.body.len() };
    let half = bytes.len() - missing.div_ceil(2);
    match fault {
        Fault::None | Fault::ResetOnConnect | Fault::ResetInRequest => {
            stream.write_all(&bytes).await?;
            return Ok(false);
        }
        Respond(_, message) | RespondAfterChange(_, message, _) => {
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
        Fault::ResetInResponse => {
            stream.write_all(&bytes[..half]).await?;
            // A reset discards unsent data.
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
        Fault::StallInResponse => {
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

/// Makes the socket send RST when it is closed.
fn reset(stream: &TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

/// Waits until the client closes the connection.
async fn wait_for_end(stream: &mut TcpStream) {
    let end = async { while stream.read(&mut [0; 64]).await.is_ok_and(|length| length > 0) {} };
    let _ = timeout(super::MAX_RUN_TIME, end).await;
}
