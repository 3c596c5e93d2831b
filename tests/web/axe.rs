//! An audit by axe-core: nothing serious, in either theme, on a desk and on a phone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::driver::{Browser, DARK, LIGHT, PHONE, PHONE_DARK};
use crate::skip::skip;
use crate::stand_in::StandIn;
use crate::world;

const PACKAGE: &str = "axe-core@4.14.1";

#[test]
fn an_audit_of_accessibility_finds_nothing_serious() {
    const TEST: &str = "an_audit_of_accessibility_finds_nothing_serious";
    let Some(axe) = axe() else {
        return skip(&format!(
            "{TEST}: {PACKAGE} cannot be had by npm, and is not there from an earlier run"
        ));
    };
    let axe = std::fs::read_to_string(axe).unwrap();
    let Some(browser) = Browser::start(TEST) else { return };
    let server = StandIn::new(world::night());
    for screen in [LIGHT, DARK, PHONE, PHONE_DARK] {
        browser.screen(screen);
        browser.open_live(&server.url());
        server.event(world::change("web/fra/lb3", "fail", "Connection refused"));
        browser.wait("an event is there", "document.querySelector('#event-list .shape')");
        browser.run("document.querySelector('.row button').click()");
        browser.wait("the detail is open", "document.querySelector('.sheet')");
        // What is out of sight is to be judged as well.
        browser.run(
            "document.querySelectorAll('*').forEach((node) => { node.style.contentVisibility = 'visible'; })",
        );
        browser.run(&axe);
        let found = browser.run_later(
            "const done = arguments[0]; axe.run(document).then((found) => done({ \
               passed: found.passes.length, \
               wrong: found.violations.map((one) => [one.impact, one.id, one.nodes.length, one.nodes.slice(0, 3).map((node) => \
                 node.html.slice(0, 200) + ' ' + node.failureSummary.slice(0, 300)).join(' ; ')]) }), (error) => done(String(error)))",
        );
        let wrong = found["wrong"].as_array().unwrap_or_else(|| panic!("no audit: {found}"));
        let grave = |one: &&Value| one[0] == "serious" || one[0] == "critical";
        let grave: Vec<&Value> = wrong.iter().filter(grave).collect();
        assert!(grave.is_empty(), "{}: {grave:#?}", screen.name);
        assert!(found["passed"].as_u64() > Some(20), "it has looked: {found}");
        assert_eq!(wrong.len(), 0, "{}: nor anything slight: {}", screen.name, json!(wrong));
    }
}

/// The file of axe-core; fetched once, by npm.
fn axe() -> Option<PathBuf> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe-core");
    let file = cache.join("package/axe.min.js");
    if file.is_file() {
        return Some(file);
    }
    std::fs::create_dir_all(&cache).ok()?;
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let command = command.args(arguments).current_dir(&cache).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let had = run("npm", &["pack", "--silent", "--fetch-retries=1", "--fetch-timeout=60000", PACKAGE])
        && run("tar", &["xzf", "axe-core-4.14.1.tgz"]);
    (had && file.is_file()).then_some(file)
}
