//! `hfm demo` as its reader sees it: the page that it serves, and the terminal, whose picture the documentation shows.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::driver::{Browser, Screen};
use crate::pictures::{asked, keep};
use crate::terminal::Terminal;

const COLUMNS: usize = 100;
const ROWS: usize = 30;
/// Far longer than a test looks on; by itself it would never end.
const SECONDS: &str = "120";

/// Ended with the test.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_page_of_the_demo_shows_its_backends_break_and_heal() {
    let Some(browser) = Browser::start("the_page_of_the_demo_shows_its_backends_break_and_heal") else {
        return;
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
    command.args(["demo", "-t", SECONDS]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut demo = Demo(command.spawn().unwrap());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.find_map(|line| line.strip_prefix("The status page: ").map(str::to_owned));
    // It would wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    browser.open_live(&url.expect("it says where"));
    browser.run(
        "window.seen = new Set(); const look = () => { for (const row of document.querySelectorAll('.row')) window.seen.add(row.dataset.rule + ' ' + row.dataset.look); \
         window.seen.add(document.querySelector('.table .sum').textContent) }; \
         look(); new MutationObserver(look).observe(document.body, {subtree: true, attributes: true, childList: true, characterData: true})",
    );
    let rules = "return [...document.querySelectorAll('.row')].map((row) => row.dataset.rule).sort()";
    assert_eq!(browser.run(rules), json!(["web1", "web2", "web3"]));
    assert_eq!(browser.run("return document.querySelectorAll('.addresses li').length"), json!(3));
    browser.wait(
        "one breaks and heals, and another",
        "['web1', 'web2', 'web3'].filter((rule) => window.seen.has(rule + ' down') && window.seen.has(rule + ' up')).length > 1",
    );
    browser.wait(
        "and leaves the table and comes back",
        "window.seen.has('2 of 3 in') && window.seen.has('3 of 3 in')",
    );
    let events = browser.text("#event-list");
    assert!(events.contains(" is down: ") && events.contains("table web written, out: 192.0.2."), "{events}");
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn the_terminal_of_the_demo_shows_what_broke_and_what_the_table_holds() {
    let Some(browser) = Browser::start("the_terminal_of_the_demo_shows_what_broke_and_what_the_table_holds")
    else {
        return;
    };
    // script(1) lends it a terminal.
    let hfm =
        format!("stty cols {COLUMNS} rows {ROWS}; exec '{}' demo -t {SECONDS}", env!("CARGO_BIN_EXE_hfm"));
    let mut command = Command::new("script");
    command.args(["-q", "-c", &hfm, "/dev/null"]).env("TERM", "xterm").env("LANG", "C.UTF-8");
    command.env_remove("NO_COLOR").stdin(Stdio::null()).stdout(Stdio::piped());
    let mut demo = Demo(command.spawn().expect("script(1)"));
    let mut stdout = demo.0.stdout.take().unwrap();
    let mut terminal = Terminal::new(COLUMNS, ROWS);
    // In the picture min_up holds one in, which takes until the second round.
    let wanted = if asked().is_some() { ["○ down", "held in"] } else { ["○ down", "192.0.2."] };
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let length = stdout.read(&mut bytes).unwrap();
        assert!(length > 0, "it has ended:\n{}", terminal.text());
        terminal.feed(&bytes[..length]);
        let text = terminal.text();
        // Where the machine is busy something fails unasked: no picture of that.
        if asked().is_some() && text.contains("unasked") {
            continue;
        }
        if terminal.is_whole() && wanted.iter().all(|words| text.contains(words)) {
            break;
        }
    }
    drop(demo);
    let text = terminal.text();
    for words in [
        "hfm demo  backends break and heal",
        "backend  address",
        "web1",
        "web3",
        "192.0.2.3",
        "Ctrl-C ends it sooner",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    let page = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("terminal.html");
    std::fs::write(&page, terminal.html()).unwrap();
    browser.open(&format!("file://{}", page.display()));
    let size = |of: &str| {
        let size = browser
            .run(&format!("return Math.ceil(document.querySelector('pre').getBoundingClientRect().{of})"));
        u32::try_from(size.as_u64().unwrap()).unwrap()
    };
    let (width, height) = (size("width"), size("height"));
    browser.screen(Screen { name: "terminal", width, height, theme: "dark" });
    keep(&browser.picture(), "demo-terminal.png");
}
