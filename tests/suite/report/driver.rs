//! A real browser, told what to do through ChromeDriver's plain HTTP (W3C WebDriver).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A headless Chromium with one page.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// The browser; none where there is none, which is a failure where `KEISOKU_REQUIRE_CHROMIUM` is 1.
pub fn browser() -> Option<Browser> {
    let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    match started {
        Ok(driver) => Some(Browser::begin(driver)),
        Err(error) => {
            assert!(std::env::var("KEISOKU_REQUIRE_CHROMIUM").as_deref() != Ok("1"), "no chromedriver: {error}");
            eprintln!("skipped: no chromedriver (Debian: chromium chromium-driver)");
            None
        }
    }
}

impl Browser {
    fn begin(mut driver: Child) -> Self {
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let said = lines.find_map(|line| Some(line.ok()?.split_once("successfully on port ")?.1.to_owned())).expect("chromedriver starts");
        let port = said.trim_end_matches('.').parse().expect("a port");
        // What it goes on to say must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, port, session: String::new() };
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"];
        let made = browser.post(
            "/session",
            &json!({ "capabilities": { "alwaysMatch": {
                "goog:chromeOptions": { "args": arguments }, "goog:loggingPrefs": { "browser": "ALL" }
            } } }),
        );
        browser.session = format!("/session/{}", made["sessionId"].as_str().expect("a session"));
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", path, &body.to_string())
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(answer["value"]["error"].is_null(), "{method} {path}: {answer}");
        answer["value"].clone()
    }

    /// Goes to an address.
    pub fn visit(&self, url: &str) {
        self.post(&format!("{}/url", self.session), &json!({ "url": url }));
    }

    /// Opens a file and waits until the page says that it is ready.
    pub fn open(&self, path: &Path) {
        self.visit(&format!("file://{}", path.display()));
        self.wait("document.body && document.body.dataset.ready === '1'");
    }

    /// Waits until a condition holds.
    pub fn wait(&self, condition: &str) {
        for _ in 0..600 {
            if self.run(&format!("return !!({condition})")) == json!(true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never true: {condition}");
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        self.post(&format!("{}/execute/sync", self.session), &json!({ "script": script, "args": [] }))
    }

    /// What an expression is, as a number.
    pub fn number(&self, expression: &str) -> f64 {
        self.run(&format!("return {expression}")).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
    }

    /// How many elements there are.
    pub fn count(&self, selector: &str) -> usize {
        self.number(&format!("document.querySelectorAll({}).length", json!(selector))) as usize
    }

    /// Asserts how many elements there are of each kind.
    pub fn has(&self, marks: &[(&str, usize)]) {
        for (selector, number) in marks {
            assert_eq!(self.count(selector), *number, "{selector}");
        }
    }

    /// Presses a key and lets it go.
    pub fn key(&self, key: char) {
        let actions = json!([{ "type": "keyDown", "value": key.to_string() }, { "type": "keyUp", "value": key.to_string() }]);
        self.post(&format!("{}/actions", self.session), &json!({ "actions": [{ "type": "key", "id": "k", "actions": actions }] }));
    }

    /// Moves the pointer to a point of the view, and presses its button.
    pub fn point(&self, x: f64, y: f64, click: bool) {
        let mut actions = vec![json!({ "type": "pointerMove", "duration": 0, "x": x.round() as i64, "y": y.round() as i64 })];
        if click {
            actions.extend([json!({ "type": "pointerDown", "button": 0 }), json!({ "type": "pointerUp", "button": 0 })]);
        }
        self.post(&format!("{}/actions", self.session), &json!({ "actions": [{ "type": "pointer", "id": "p", "actions": actions }] }));
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.post(&format!("{}/goog/cdp/execute", self.session), &json!({ "cmd": command, "params": parameters }));
    }

    /// Gives the view a size, also one narrower than a window can be.
    pub fn size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Makes the system dark or light.
    pub fn scheme(&self, scheme: &str) {
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }));
    }

    /// What the console has said since it was last asked.
    pub fn console(&self) -> Vec<String> {
        let said = self.post(&format!("{}/se/log", self.session), &json!({ "type": "browser" }));
        said.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The view as a picture, base 64; and the whole page as PDF.
    pub fn picture(&self) -> String {
        self.request("GET", &format!("{}/screenshot", self.session), "").as_str().unwrap().to_owned()
    }

    /// The page as PDF, base 64.
    pub fn print(&self) -> String {
        self.post(&format!("{}/print", self.session), &json!({ "background": true })).as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    /// Best effort, because it also happens while a test fails.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = write!(stream, "DELETE {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", self.session);
            let _ = stream.read(&mut [0; 64]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
