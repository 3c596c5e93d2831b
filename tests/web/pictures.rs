//! Pictures for who wants to see it, and what the documentation shows.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::driver::{Browser, DARK, LIGHT, PHONE, PHONE_DARK};
use crate::stand_in::StandIn;
use crate::world;

#[test]
fn pictures_are_left_where_they_are_asked_for() {
    let Some(browser) = Browser::start("pictures_are_left_where_they_are_asked_for") else { return };
    let server = StandIn::new(world::night());
    server.event(world::event("loaded", json!({"message": "configuration loaded rules=17"})));
    server.event(world::change("web/fra/lb3", "fail", "status 503, wanted 200-399"));
    server.event(world::event(
        "table-written",
        json!({"table": "web", "added": [], "removed": ["10.2.1.253"]}),
    ));
    server.event(world::event(
        "override-set",
        json!({"rule": "web/fra/lb7", "override": "drained", "by": "ann", "reason": "kernel update"}),
    ));
    for screen in [LIGHT, DARK, PHONE, PHONE_DARK] {
        browser.screen(screen);
        browser.open_live(&server.url());
        browser.wait(
            "its events are there",
            "document.getElementById('event-list').textContent.includes('lb7')",
        );
        keep(&browser.picture(), &format!("status-{}-{}.png", screen.name, screen.width));
    }
}

/// Where pictures are wanted, if they are.
pub(crate) fn asked() -> Option<PathBuf> {
    std::env::var_os("HFM_SCREENSHOTS").map(PathBuf::from)
}

/// Leaves a picture under this name where pictures are wanted, else among what a build leaves.
pub(crate) fn keep(picture: &str, name: &str) {
    let directory = asked().unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("web-pictures"));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    decode(picture, &path);
    assert!(std::fs::metadata(&path).unwrap().len() > 10_000, "{}", path.display());
}

/// Writes what base64(1) makes of a text.
fn decode(text: &str, path: &Path) {
    let file = std::fs::File::create(path).unwrap();
    let mut base64 =
        Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(file).spawn().expect("base64 runs");
    base64.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(base64.wait().unwrap().success());
}
