//! A browser without a screen, driven by WebDriver (W3C) through chromedriver.
#![expect(unreachable_pub, reason = "shared by the modules of one test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::skip::skip;

/// How long anything may take before a test gives up; far more than it should.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// WebDriver's names of keys (section 17.4.2, keyboard actions).
pub const TAB: &str = "\u{e004}";
pub const SHIFT_TAB: &str = "\u{e008}\u{e004}\u{e008}";
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";
pub const UP: &str = "\u{e013}";
pub const DOWN: &str = "\u{e015}";

/// One browser at a time: several would only wait for each other.
static TURN: Mutex<()> = Mutex::new(());

/// A browser with a profile of its own. Ends with the test.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

/// The size and theme of a screen.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub name: &'static str,
    pub width: u32,
    pub height: u32,
    pub theme: &'static str,
}

pub const LIGHT: Screen = Screen { name: "light", width: 1280, height: 800, theme: "light" };
pub const DARK: Screen = Screen { name: "dark", width: 1280, height: 800, theme: "dark" };
pub const PHONE: Screen = Screen { name: "phone", width: 360, height: 740, theme: "light" };
pub const PHONE_DARK: Screen = Screen { name: "phone-dark", width: 360, height: 740, theme: "dark" };

impl Browser {
    /// Starts one; `None`, and said so, where there is none.
    pub fn start(test: &str) -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        for program in ["chromedriver", "chromium"] {
            if !on_path(program) {
                skip(&format!("{test}: {program} is not installed"));
                return None;
            }
        }
        let profile =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("web-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&profile).unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver runs");
        let port = told_port(&mut driver);
        let mut browser = Self { driver, port, session: String::new(), profile, _turn: turn };
        browser.begin();
        browser.screen(LIGHT);
        Some(browser)
    }

    fn begin(&mut self) {
        let profile = format!("--user-data-dir={}", self.profile.display());
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            profile
        ]);
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let session = self.ask("POST", "/session", &wanted);
        self.session = format!("/session/{}", session["sessionId"].as_str().expect("a session"));
    }

    /// The screen from now on.
    pub fn screen(&self, screen: Screen) {
        let phone = screen.width < 600;
        let size = json!({"width": screen.width, "height": screen.height,
            "deviceScaleFactor": if phone { 2 } else { 1 }, "mobile": phone});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let theme = json!({"features": [{"name": "prefers-color-scheme", "value": screen.theme}]});
        self.devtools("Emulation.setEmulatedMedia", &theme);
    }

    pub fn open(&self, url: &str) {
        self.tell("POST", "/url", &json!({"url": url}));
    }

    /// The value of a script that ends with `return`.
    pub fn run(&self, script: &str) -> Value {
        self.tell("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The same for one that calls its last argument with the value when it has it.
    pub fn run_later(&self, script: &str) -> Value {
        self.tell("POST", "/execute/async", &json!({"script": script, "args": []}))
    }

    /// The text of what `selector` finds first; of what is far out of sight without the breaks between its parts.
    pub fn text(&self, selector: &str) -> String {
        let found = format!("const found = document.querySelector({})", json!(selector));
        let text = self.run(&format!("{found}; return found ? found.innerText || found.textContent : ''"));
        text.as_str().unwrap_or_default().replace('\u{a0}', " ")
    }

    /// Waits until an expression of JavaScript is true.
    #[expect(clippy::disallowed_methods, reason = "a test of a real browser waits in real time")]
    pub fn wait(&self, what: &str, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while self.run(&format!("return Boolean({expression})")) != json!(true) {
            assert!(Instant::now() < end, "{what} ({expression}); the page says:\n{}", self.text("body"));
            std::thread::sleep(POLL);
        }
    }

    /// Opens a page of hfm, and waits until it has read all and hears of events.
    pub fn open_live(&self, url: &str) {
        self.open(url);
        self.wait(
            "it is live",
            "document.getElementById('link').dataset.link === 'live' && document.querySelector('.group')",
        );
    }

    /// Presses and releases keys, one after the other, as a person does.
    pub fn keys(&self, keys: &str) {
        let mut actions = Vec::new();
        let shift = "\u{e008}";
        let mut is_shifted = false;
        for key in keys.chars().map(String::from) {
            if key == shift {
                actions.push(json!({"type": if is_shifted { "keyUp" } else { "keyDown" }, "value": shift}));
                is_shifted = !is_shifted;
                continue;
            }
            actions.push(json!({"type": "keyDown", "value": key}));
            actions.push(json!({"type": "keyUp", "value": key}));
        }
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.tell("POST", "/actions", &keyboard);
    }

    /// A picture of what is seen, as PNG, in base64.
    pub fn picture(&self) -> String {
        self.tell("GET", "/screenshot", &Value::Null).as_str().expect("a picture").to_owned()
    }

    /// What the console has got since it was last asked: errors, and what the policy forbade.
    pub fn console(&self) -> Vec<String> {
        self.log("browser").iter().map(|entry| format!("{} {}", entry["level"], entry["message"])).collect()
    }

    /// The addresses of all requests since this was last asked.
    pub fn requests(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in self.log("performance") {
            let text = entry["message"].as_str().unwrap_or_default();
            let message: Value = serde_json::from_str(text).unwrap_or_default();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let url = &message["message"]["params"]["request"]["url"];
                found.push(url.as_str().unwrap_or_default().to_owned());
            }
        }
        found
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.tell("POST", "/se/log", &json!({"type": kind}));
        entries.as_array().cloned().unwrap_or_default()
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.tell("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// A command of the session.
    fn tell(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, &format!("{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = exchange(self.port, method, path, body).expect("chromedriver answers");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{method} {path}: {} {}", value["error"], value["message"]);
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // This ends the browser, and so what follows leaves nothing behind.
        let _ = exchange(self.port, "DELETE", &self.session, &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// One request on a connection of its own.
fn exchange(port: u16, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer)?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}

/// The port that chromedriver says it has taken; what it says after that is read and dropped.
fn told_port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().expect("its stdout")).lines();
    let told = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    told.expect("chromedriver says its port")
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
