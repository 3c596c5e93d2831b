//! Text from the network stays text.

use serde_json::json;

use crate::any_hfm::fits;
use crate::driver::{Browser, PHONE};
use crate::stand_in::StandIn;
use crate::world;

const SCRIPT: &str = "<script>window.harmed = 1</script>";
const IMAGE: &str = "<img src=x onerror=\"window.harmed = 1\">";
const BREAKOUT: &str = "\"'`></title></style></template></svg><svg onload=window.harmed=1>${window.harmed=1}";

#[test]
fn markup_from_the_network_is_shown_as_text_and_runs_nothing() {
    let Some(browser) = Browser::start("markup_from_the_network_is_shown_as_text_and_runs_nothing") else {
        return;
    };
    let name = format!("web/{SCRIPT}");
    let members = json!({
        "rule": name, "detail": format!("{IMAGE}{BREAKOUT}"), "reason": BREAKOUT, "blame": IMAGE, "test": format!("javascript:{SCRIPT}"),
        "override": {"kind": SCRIPT, "reason": IMAGE, "uid": 0, "by": BREAKOUT, "since": 1.0, "until": null}, "ended": null
    });
    let long = format!("group/{}", "x".repeat(700));
    let rules = vec![
        world::with(world::down("x"), members),
        world::up("__proto__/constructor"),
        world::up(&long),
        world::with(world::down("\u{202e}gpj.exe"), json!({"detail": "\u{202e}\u{2066}turned"})),
    ];
    let mut table = world::table(SCRIPT, &[(IMAGE, false, BREAKOUT, &name)]);
    table["error"] = json!(format!("{IMAGE}{SCRIPT}"));
    let mut status = world::status(rules, vec![table]);
    status["health"] = json!([format!("{IMAGE} is ill")]);
    status["hfm"]["host"] = json!(SCRIPT);
    status["hfm"]["config"] = json!(IMAGE);
    let server = StandIn::new(status);
    browser.open_live(&server.url());
    server.event(world::change(&name, "fail", &format!("{IMAGE}{BREAKOUT}")));
    server.event(world::event(SCRIPT, json!({"message": format!("says {IMAGE}"), "detail": BREAKOUT})));
    browser.wait(
        "the event is shown",
        &format!("document.getElementById('event-list').textContent.includes({})", json!(IMAGE)),
    );
    browser.run("document.querySelector('.row button').click()");
    browser.wait("the detail is open", "document.querySelector('.sheet')");
    for text in [SCRIPT, IMAGE, BREAKOUT] {
        assert!(browser.text("body").contains(text), "{text}");
    }
    assert_eq!(browser.text("#host"), SCRIPT);
    assert_eq!(browser.run("return window.harmed ?? null"), json!(null));
    assert_eq!(browser.run("return document.querySelectorAll('img, iframe, body script ~ script, a[href^=javascript]').length"), json!(0));
    browser.screen(PHONE);
    browser.run("document.querySelectorAll('.row button')[1].click()");
    fits(&browser, PHONE);
    assert_eq!(browser.console(), [""; 0], "the policy had nothing to forbid");
    let asked = server.paths();
    let known = |path: &String| path == "/" || path.starts_with("/api/v1/");
    assert!(asked.iter().all(known), "{asked:?}");
}

/// Were markup to get in, the policy would still let nothing of it run.
#[test]
fn the_policy_runs_nothing_but_the_page() {
    let Some(browser) = Browser::start("the_policy_runs_nothing_but_the_page") else { return };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    browser.run(&format!(
        "const box = document.createElement('div'); box.innerHTML = {}; document.body.append(box); \
         const script = document.createElement('script'); script.textContent = 'window.harmed = 1'; document.body.append(script)",
        json!(format!("{IMAGE}<p style='color: red' onclick='window.harmed = 1'>x</p>"))
    ));
    browser.run("document.querySelector('p[onclick]').click()");
    assert_eq!(browser.run("return window.harmed ?? null"), json!(null));
    let told = browser.console();
    assert!(told.iter().any(|line| line.contains("Content Security Policy")), "{told:?}");
}

#[test]
fn members_that_are_not_there_break_nothing() {
    let Some(browser) = Browser::start("members_that_are_not_there_break_nothing") else { return };
    let mut bare = world::up("bare");
    for member in
        ["recent_us", "history", "certificate_days", "test", "interval_ms", "override", "blame", "since"]
    {
        bare.as_object_mut().unwrap().remove(member);
    }
    let mut status =
        world::status(vec![bare, world::with(world::up("more"), json!({"later": {"a": 1}}))], vec![]);
    status.as_object_mut().unwrap().remove("tables");
    status["stats"] = json!(null);
    let server = StandIn::new(status);
    browser.open_live(&server.url());
    browser.run("document.querySelector('.row button').click()");
    browser.wait("the detail is open", "document.querySelector('.sheet')");
    assert_eq!(browser.text("#headline"), "Both rules are up.");
    assert_eq!(browser.console(), [""; 0]);
}
