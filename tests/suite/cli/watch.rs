//! A folder that fills while it is watched: partial and bad files, a kill, the lock, the page.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{FRAMES, Series, finished, keisoku};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A watch of a series, killed where it is dropped.
struct Watch {
    child: Child,
    /// Address of the page.
    page: String,
    told: Arc<Mutex<String>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn arguments(series: &Series, more: &[&str]) -> Vec<String> {
    let mut all = series.arguments(&["--listen", "127.0.0.1:0", "--every", "0.2s", "--patience", "4s"]);
    all[0] = "watch".into();
    all.extend(more.iter().map(|m| (*m).to_owned()));
    all
}

impl Watch {
    fn begin(series: &Series, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keisoku"))
            .args(arguments(series, more))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let page = lines.find_map(|line| line.strip_prefix("page at http://").map(|rest| rest.trim_end_matches('/').to_owned())).unwrap();
        let told = Arc::new(Mutex::new(String::new()));
        let copy = told.clone();
        std::thread::spawn(move || lines.for_each(|line| *copy.lock().unwrap() += &format!("{line}\n")));
        Self { child, page, told }
    }

    /// Status line, headers and body of an answer.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.page).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.page))
    }

    fn status(&self) -> Value {
        serde_json::from_str(self.get("/status.json").split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Waits until the status is as wanted.
    fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.status();
            if holds(&status) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "not {what}: {status:#}\n{}", self.told.lock().unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn take_away(series: &Series, frames: std::ops::RangeInclusive<usize>) -> Vec<String> {
    frames
        .map(|number| {
            let path = series.path(&format!("data/f{number}.xye"));
            let text = fs::read_to_string(&path).unwrap();
            fs::remove_file(path).unwrap();
            text
        })
        .collect()
}

#[cfg(unix)]
#[test]
fn frames_are_measured_as_they_become_complete() {
    let series = Series::new();
    let texts = take_away(&series, 1..=FRAMES);
    let write = |name: &str, text: &str| fs::write(series.path("data").join(name), text).unwrap();
    let mut watch = Watch::begin(&series, &["--threads", "2"]);
    watch.until("waiting", |s| s["phase"] == "waiting for the first frame" && s["trouble"].as_str().unwrap().contains("no file matches"));
    write("f1.xye", &texts[0]);
    watch.until("at the first frame", |s| s["done"] == 1 && s["version"].as_u64() > Some(0));
    assert!(fs::read_to_string(series.path("out/evidence.csv")).unwrap().contains("f1.xye"));
    // Cut in a row: it cannot be read, however long it stays like that.
    let row = texts[1][..texts[1].len() / 2].rfind('\n').unwrap() + 1;
    write("f2.xye", &texts[1][..row + 5]);
    write("g.xye", "this is no frame\n");
    let status = watch.until("at the partial frame", |s| s["being_written_count"] == 2);
    assert_eq!(status["being_written"].as_array().unwrap().len(), 2);
    write("f2.xye", &texts[1]);
    write("f4.xye", &texts[3]);
    // What stays bad is recorded as failed, and taken again when it is mended.
    watch.until("at the bad frame", |s| s["done"] == 3 && s["failed"] == 1);
    write("g.xye", &texts[2]);
    write("f3.xye", &texts[2]);
    let status = watch.until("at the last frame", |s| s["done"] == 5);
    assert_eq!((&status["being_written_count"], &status["waiting"], &status["pace"]), (&0.into(), &0.into(), &"keeps up".into()));
    assert_eq!(status["recent"].as_array().unwrap().len(), 6);
    assert!(Command::new("kill").args(["-INT", &watch.child.id().to_string()]).status().unwrap().success());
    assert_eq!(watch.child.wait().unwrap().code(), Some(130));
    let told = watch.told.lock().unwrap().clone();
    assert!(told.contains("frame 1 (f1.xye): K") && told.contains("failed") && !told.contains(['\u{1b}', '\r']), "{told}");
    // A run in the same folder has nothing to do, and one of the resolved spec in another folder comes to the same.
    let (results, draws) = (series.results(), series.draws());
    series.run(&[]).code(0);
    assert_eq!(series.results(), results);
    let spec = series.path("out/spec.toml").to_string_lossy().into_owned();
    let again = series.path("again").to_string_lossy().into_owned();
    keisoku().args(["run", &spec, "--out", &again, "--threads", "1"]).assert().code(0);
    assert_eq!(super::results(again.as_ref()), results);
    fs::remove_dir_all(series.path("out/samples")).unwrap();
    fs::rename(series.path("again/samples"), series.path("out/samples")).unwrap();
    assert!(series.draws() == draws, "other draws");
}

/// The live page in a real browser: frames and the report appear without a reload, the newest frame is shown until another is chosen, and what
/// is chosen stays.
#[cfg(unix)]
#[test]
fn the_page_is_kept_current_without_a_reload() {
    let Some(browser) = crate::report::driver::browser() else { return };
    let series = Series::new();
    let texts = take_away(&series, 1..=FRAMES);
    let write = |name: &str, text: &str| fs::write(series.path("data").join(name), text).unwrap();
    let mut watch = Watch::begin(&series, &["--threads", "2"]);
    browser.size(1400, 900);
    browser.visit(&format!("http://{}/", watch.page));
    // A reload would forget it.
    browser.run("window.report = () => document.querySelector('#report').contentDocument");
    let says = |id: &str, what: &str| browser.wait(&format!("document.querySelector('#{id}').textContent.includes('{what}')"));
    let report = |condition: &str| browser.wait(&format!("report().body?.dataset.ready === '1' && report().{condition}"));
    says("phase", "waiting for the first frame");
    assert_eq!(
        browser.run("return [document.querySelector('#empty').hidden, document.querySelector('#report').hidden]").to_string(),
        "[false,true]"
    );
    write("f1.xye", &texts[0]);
    browser.wait("document.querySelectorAll('#recent tbody tr').length === 1");
    report("querySelector('#frame-title').textContent.startsWith('Frame 1')");
    let row = texts[1][..texts[1].len() / 2].rfind('\n').unwrap() + 1;
    write("f2.xye", &texts[1][..row + 5]);
    says("counts", "being written: f2");
    write("f2.xye", &texts[1]);
    report("querySelectorAll('#frame-table tbody tr').length === 2");
    report("querySelector('#frame-title').textContent.startsWith('Frame 2')");
    browser.run("report().querySelector('#frame-table tbody tr').click()");
    report("querySelector('#frame-title').textContent.startsWith('Frame 1')");
    browser.run("report().defaultView.scrollTo(0, 333)");
    write("f3.xye", &texts[2]);
    report("querySelectorAll('#frame-table tbody tr').length === 3");
    report("querySelector('#frame-title').textContent.startsWith('Frame 1')");
    report("defaultView.scrollY === 333");
    assert_eq!(browser.run("return document.querySelector('#recent tbody td').textContent"), "3");
    assert_eq!(browser.run("return [document.querySelector('#empty').hidden, document.title]").to_string(), "[true,\"3 done · tiny\"]");
    for (width, height) in [(1400, 900), (400, 800)] {
        browser.size(width, height);
        assert!(browser.number("document.documentElement.scrollWidth - innerWidth") <= 0.0, "{width} px are too few");
    }
    assert_eq!(browser.console(), [""; 0]);
    assert!(Command::new("kill").args(["-INT", &watch.child.id().to_string()]).status().unwrap().success());
    assert_eq!(watch.child.wait().unwrap().code(), Some(130));
    says("trouble", "keisoku does not answer");
}

#[test]
fn a_killed_watch_goes_on_and_a_second_one_is_kept_out() {
    let series = Series::new();
    let mut watch = Watch::begin(&series, &["--threads", "1"]);
    let begun = Instant::now();
    while series.lines() < 2 {
        assert!(begun.elapsed() < PATIENCE, "no frame: {}", watch.told.lock().unwrap());
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = keisoku().args(arguments(&series, &[])).assert().code(1).get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("another keisoku is at work in this folder"));
    watch.child.kill().unwrap();
    watch.child.wait().unwrap();
    let before = series.lines();
    keisoku().args(arguments(&series, &["--threads", "2", "--idle", "2s", "--quiet"])).assert().code(0).stdout("").stderr("");
    assert!(before <= FRAMES + 1 && series.lines() == FRAMES + 1, "a finished frame was run again: {before}, {}", series.lines());
    assert_eq!(series.results(), finished().results());
    assert!(series.draws() == finished().draws(), "other draws");
    // Numbers that have changed since are measured again.
    series.add_frame(5);
    fs::rename(series.path("data/f5.xye"), series.path("data/f1.xye")).unwrap();
    let output = keisoku().args(arguments(&series, &["--idle", "2s", "--json"])).assert().code(0).get_output().clone();
    assert_eq!(series.lines(), FRAMES + 2);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["frames"], &told["exit"]), (&4.into(), &0.into()));
    series.run(&[]).code(0);
}

#[test]
fn the_page_can_only_be_read() {
    let series = super::copy_of_finished();
    let watch = Watch::begin(&series, &[]);
    let page = watch.get("/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("text/html") && page.contains("status.json"), "{page}");
    let status = watch.get("/status.json");
    assert!(status.starts_with("HTTP/1.1 200") && status.contains("application/json") && status.contains("no-store"), "{status}");
    assert!(watch.get("/evidence.csv?now").ends_with(&series.results()[0]));
    for path in ["/results.jsonl", "/..%2ftiny.toml", "/../tiny.toml", "//etc/passwd", "/out/evidence.csv", "/evidence.csv/", "", "/.lock"]
    {
        let answer = watch.get(path);
        assert!(answer.starts_with("HTTP/1.1 404") || path.is_empty() && answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        let answer = watch.ask(&format!("{method} / HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", watch.page));
        assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("Allow: GET"), "{method}: {answer}");
    }
    assert!(watch.ask("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").starts_with("HTTP/1.1 403"));
    // Nobody waits for one who says nothing.
    let _silent = TcpStream::connect(&watch.page).unwrap();
    assert!(watch.get("/status.json").starts_with("HTTP/1.1 200"));
    for address in ["0.0.0.0:0", "nowhere"] {
        let mut all = arguments(&series, &[]);
        let at = all.iter().position(|a| a == "127.0.0.1:0").unwrap();
        all[at] = address.into();
        keisoku().args(all).assert().code(1);
    }
}
