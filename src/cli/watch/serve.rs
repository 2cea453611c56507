//! A page on a local address: a few lines of HTTP that answer GET for a fixed list of paths, and nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};

/// Where the page is, unless told otherwise; another free port where this one is taken.
const PORT: u16 = 8737;
/// Bytes of a request: no browser sends more for a page without cookies.
const MOST_BYTES: u64 = 16 * 1024;
/// A connection that says nothing for so long is closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at a time; a further one is closed at once.
const MOST_CONNECTIONS: usize = 32;
/// The page may load what it brings along and what this address gives.
const POLICY: &str = "default-src 'self' 'unsafe-inline' data: blob:; frame-ancestors 'self'";

/// `--listen`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Listen {
    /// No page.
    Nowhere,
    /// At the usual port, or another one.
    Usual,
    /// At this address, which is one of this machine alone.
    At(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "none" => return Ok(Self::Nowhere),
            "usual" => return Ok(Self::Usual),
            _ => {}
        }
        let address: SocketAddr = text.parse().map_err(|_| format!("`{text}` is no address: write 127.0.0.1:{PORT}, or none"))?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "{} can be reached from elsewhere, and the page asks for no password: write 127.0.0.1:{}, and look from afar through ssh -L",
                address.ip(),
                address.port()
            ));
        }
        Ok(Self::At(address))
    }
}

/// What lies at a path: its kind and its bytes; none where nothing does.
pub(super) type Answers = dyn Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + Sync;

/// Opens the page; none where none is wanted. Gives the address it has. It is served until the program ends.
///
/// # Errors
/// Where the address asked for is taken.
pub(super) fn serve(listen: Listen, answers: Arc<Answers>) -> Result<Option<SocketAddr>> {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let listener = match listen {
        Listen::Nowhere => return Ok(None),
        Listen::Usual => TcpListener::bind(local(PORT)).or_else(|_| TcpListener::bind(local(0))),
        Listen::At(address) => TcpListener::bind(address),
    };
    let cannot =
        |e: std::io::Error| Error::fatal(format!("the page cannot be opened: {e}")).hint("give another port with --listen 127.0.0.1:PORT");
    let listener = listener.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let open = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                // Out of files or memory: the page waits, the measurement goes on.
                std::thread::sleep(Duration::from_millis(100));
                continue;
            };
            if open.load(Ordering::Relaxed) >= MOST_CONNECTIONS {
                continue;
            }
            open.fetch_add(1, Ordering::Relaxed);
            let (answers, open) = (answers.clone(), open.clone());
            std::thread::spawn(move || {
                // A reader that goes away is no error.
                let _ = answer(&stream, &*answers);
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    Ok(Some(address))
}

/// Answers one request and closes the connection.
fn answer(stream: &TcpStream, answers: &Answers) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (status, kind, body) = match request(stream)? {
        Request::Get(path) => match answers(&path) {
            Some((kind, body)) => ("200 OK", kind, body),
            None => ("404 Not Found", "text/plain", b"nothing is here\n".to_vec()),
        },
        Request::Other(status, why) => (status, "text/plain", why.as_bytes().to_vec()),
    };
    let allow = if status.starts_with("405") { "Allow: GET\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\n\
         Content-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut out = stream;
    out.write_all(head.as_bytes())?;
    out.write_all(&body)?;
    out.flush()
}

/// What was asked for.
#[derive(Debug, PartialEq)]
enum Request {
    /// This path, without what follows a question mark.
    Get(String),
    /// Something that gets this answer.
    Other(&'static str, &'static str),
}

fn request(stream: impl Read) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream.take(MOST_BYTES)).split(b'\n');
    let mut line = || -> std::io::Result<String> {
        let line = lines.next().unwrap_or_else(|| Ok(Vec::new()))?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    };
    let first = line()?;
    let mut host = None;
    loop {
        let header = line()?;
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            host = Some(value.trim().to_owned());
        }
    }
    Ok(match first.split_whitespace().collect::<Vec<_>>()[..] {
        // A page from elsewhere whose name was made to point here would otherwise read the results (DNS rebinding).
        [_, _, version] if version.starts_with("HTTP/1.") && !host.as_deref().is_some_and(is_local) => {
            Request::Other("403 Forbidden", "this page is for this machine: ask for 127.0.0.1 or localhost\n")
        }
        ["GET", path, version] if version.starts_with("HTTP/1.") => {
            Request::Get(path.split(['?', '#']).next().unwrap_or_default().to_owned())
        }
        [_, _, version] if version.starts_with("HTTP/1.") => Request::Other("405 Method Not Allowed", "this page can only be read\n"),
        _ => Request::Other("400 Bad Request", "this is no request\n"),
    })
}

/// Whether a Host header names this machine, whatever the port: ssh may have led it here from another one.
fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| name.eq_ignore_ascii_case(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_be_listened_on() {
        assert_eq!("none".parse(), Ok(Listen::Nowhere));
        assert_eq!("127.0.0.1:80".parse(), Ok(Listen::At(([127, 0, 0, 1], 80).into())));
        assert!(matches!("[::1]:80".parse(), Ok(Listen::At(_))));
        for text in ["0.0.0.0:80", "192.168.1.2:80", "[::]:80", "80", "localhost:80", ""] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn requests_are_read_as_they_are_meant() {
        let of = |text: &str| request(text.as_bytes()).expect("read");
        let get = |path: &str| Request::Get(path.into());
        assert_eq!(of("GET / HTTP/1.1\r\nHost: localhost:8737\r\n\r\n"), get("/"));
        assert_eq!(of("GET /status.json?now=1 HTTP/1.1\r\nhOST: 127.0.0.1\r\nA: b\r\n\r\n"), get("/status.json"));
        assert_eq!(of("GET /../../etc/passwd HTTP/1.0\nHost: [::1]:1\n\n"), get("/../../etc/passwd"));
        for (text, code) in [
            ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
            ("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "403"),
            ("GET / HTTP/1.1\r\nHost: localhost.example.org:8737\r\n\r\n", "403"),
            ("GET / HTTP/1.1\r\n\r\n", "403"),
            ("", "400"),
            ("GET /\r\n\r\n", "400"),
            ("\u{0}\u{1}\u{16}\r\n\r\n", "400"),
        ] {
            assert!(matches!(of(text), Request::Other(status, _) if status.starts_with(code)), "{text:?}: {:?}", of(text));
        }
        // A request without end is cut.
        assert!(matches!(of(&"x".repeat(100_000)), Request::Other(..)));
    }
}
