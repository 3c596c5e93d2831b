//! All of it by keyboard.

use serde_json::{Value, json};

use crate::driver::{Browser, DOWN, ENTER, ESCAPE, SHIFT_TAB, TAB, UP};
use crate::stand_in::StandIn;
use crate::world;

/// What has the focus: its id, its filter, or its text.
fn focus(browser: &Browser) -> String {
    let script = "const at = document.activeElement; \
                  return at.id || at.dataset.filter || at.getAttribute('aria-label') || at.innerText";
    browser.run(script).as_str().unwrap_or_default().to_owned()
}

#[test]
fn tab_goes_through_all_that_can_be_done_in_the_order_it_is_read() {
    let Some(browser) = Browser::start("tab_goes_through_all_that_can_be_done_in_the_order_it_is_read")
    else {
        return;
    };
    let server = StandIn::new(world::status(
        vec![world::down("web/1"), world::up("web/2"), world::up("db/1")],
        vec![],
    ));
    browser.open_live(&server.url());
    let mut reached = Vec::new();
    for _ in 0..18 {
        browser.keys(TAB);
        reached.push(focus(&browser));
        let seen = browser.run(
            "const at = document.activeElement, box = at.getBoundingClientRect(), look = getComputedStyle(at); \
             return box.width > 0 && box.height > 0 && look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2",
        );
        assert_eq!(seen, json!(true), "the focus is seen on {}", reached.last().unwrap());
    }
    let order = [
        "Skip to the rules",
        "theme",
        "all",
        "down",
        "unknown",
        "stale",
        "override",
        "search",
        "fold",
        "web",
        "web/1",
        "web/2",
        "db",
        "db/1",
        "pause",
        "events-search",
        "Events, newest first",
        "status",
    ];
    assert_eq!(reached, order);
    browser.keys(SHIFT_TAB);
    assert_eq!(focus(&browser), "Events, newest first");
}

#[test]
fn enter_opens_a_rule_and_escape_closes_it_where_one_was() {
    let Some(browser) = Browser::start("enter_opens_a_rule_and_escape_closes_it_where_one_was") else {
        return;
    };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    server.event(world::change("web/fra/lb3", "fail", "Connection refused"));
    browser.run("document.querySelector('[data-rule=\"web/fra/lb3\"] button').focus()");
    browser.keys(ENTER);
    browser.wait("it is open", "document.querySelector('.sheet')");
    browser.wait(
        "with its event",
        "document.querySelector('.sheet').innerText.includes('is down: Connection refused')",
    );
    let sheet = browser.text(".sheet").replace('\n', " ");
    for said in [
        "web/fra/lb3",
        "Run time, p50 / p99 312 µs / 803 µs",
        "Available 98.2 %",
        "Runs 3,600, 140 failed, 0 inconclusive",
        "Test http://10.2.1.251/up",
        "Interval 1.0 s",
        "In tables web: 10.2.1.253 out: down",
    ] {
        assert!(sheet.contains(said), "{said}: {sheet}");
    }
    let expanded =
        "return document.querySelector('[data-rule=\"web/fra/lb3\"] button').getAttribute('aria-expanded')";
    assert_eq!(browser.run(expanded), json!("true"));
    browser.keys(TAB);
    assert_eq!(focus(&browser), "Close");
    browser.keys(ESCAPE);
    browser.wait("it is closed", "!document.querySelector('.sheet')");
    assert_eq!(focus(&browser), "web/fra/lb3");
    assert_eq!(browser.run(expanded), json!("false"));
}

#[test]
fn a_slash_leads_to_the_search_and_arrows_to_what_it_found() {
    let Some(browser) = Browser::start("a_slash_leads_to_the_search_and_arrows_to_what_it_found") else {
        return;
    };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    browser.keys("/");
    assert_eq!(focus(&browser), "search");
    browser.keys("503");
    let rows = "return [...document.querySelectorAll('.row')].map((node) => node.dataset.rule)";
    browser.wait("it is found by its reason", "document.querySelectorAll('.row').length === 1");
    assert_eq!(browser.run(rows), json!(["web/fra/lb3"]));
    browser.keys(DOWN);
    assert_eq!(focus(&browser), "web/fra");
    browser.keys(DOWN);
    assert_eq!(focus(&browser), "web/fra/lb3");
    browser.keys("/");
    browser.keys(ESCAPE);
    browser.wait("all are back", "document.querySelectorAll('.row').length === 17");
    assert_eq!(browser.run("return document.getElementById('search').value"), json!(""));
    browser.keys("nothing like this");
    browser.wait(
        "that nothing is found is said",
        "document.getElementById('none').innerText === 'No rule matches that.'",
    );
}

#[test]
fn the_focus_stays_on_a_rule_that_moves() {
    let Some(browser) = Browser::start("the_focus_stays_on_a_rule_that_moves") else { return };
    let rules: Vec<Value> = (1..=9).map(|number| world::up(&format!("web/{number}"))).collect();
    let server = StandIn::new(world::status(rules, vec![]));
    browser.open_live(&server.url());
    browser.run("document.querySelector('[data-rule=\"web/8\"] button').focus()");
    server.change(|status| status["rules"][7] = world::down("web/8"));
    server.event(world::change("web/8", "fail", "Connection refused"));
    browser.wait("it is first", "document.querySelector('.row').dataset.rule === 'web/8'");
    assert_eq!(focus(&browser), "web/8");
}

#[test]
fn the_theme_is_chosen_and_kept() {
    let Some(browser) = Browser::start("the_theme_is_chosen_and_kept") else { return };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.run(ground);
    browser.run("document.getElementById('theme').focus()");
    browser.keys(ENTER);
    assert_eq!((browser.text("#theme").as_str(), browser.run(ground)), ("Theme: light", light.clone()));
    browser.keys(ENTER);
    assert_eq!(browser.text("#theme"), "Theme: dark");
    assert_ne!(browser.run(ground), light);
    browser.open_live(&server.url());
    assert_eq!(browser.text("#theme"), "Theme: dark");
    assert_ne!(browser.run(ground), light);
}

#[test]
fn enter_opens_a_rule_while_a_text_is_selected() {
    let Some(browser) = Browser::start("enter_opens_a_rule_while_a_text_is_selected") else { return };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    browser.run(
        "getSelection().selectAllChildren(document.getElementById('headline')); \
         document.querySelector('[data-rule=\"web/fra/lb3\"] button').focus()",
    );
    assert_ne!(browser.run("return String(getSelection())"), json!(""));
    browser.keys(ENTER);
    browser.wait("it is open", "document.querySelector('.sheet')");
}

#[test]
fn the_focus_goes_to_what_comes_in_its_place() {
    let Some(browser) = Browser::start("the_focus_goes_to_what_comes_in_its_place") else { return };
    let rules = vec![world::down("web/1"), world::down("web/2"), world::down("web/3")];
    let server = StandIn::new(world::status(rules, vec![]));
    browser.open_live(&format!("{}#show=down", server.url()));
    browser.run("document.querySelector('[data-rule=\"web/2\"] button').focus()");
    server.change(|status| status["rules"][1] = world::up("web/2"));
    browser.wait("it is not among them", "!document.querySelector('[data-rule=\"web/2\"]')");
    assert_eq!(focus(&browser), "web/3");
    server.change(|status| status["rules"][2] = world::up("web/3"));
    browser.wait("nor is the next", "document.querySelectorAll('.row').length === 1");
    assert_eq!(focus(&browser), "web/1");
    server.change(|status| status["rules"][0] = world::up("web/1"));
    browser.wait("none is left", "!document.querySelector('.row')");
    assert_eq!(focus(&browser), "search");
}

#[test]
fn what_has_the_focus_is_not_under_the_bar() {
    let Some(browser) = Browser::start("what_has_the_focus_is_not_under_the_bar") else { return };
    let rules: Vec<Value> = (10..60).map(|number| world::up(&format!("web/{number}"))).collect();
    let server = StandIn::new(world::status(rules, vec![]));
    browser.open_live(&server.url());
    browser.run("scrollTo(0, document.body.scrollHeight); document.querySelector('[data-rule=\"web/59\"] button').focus()");
    let hidden = "return document.activeElement.getBoundingClientRect().top < document.getElementById('bar').getBoundingClientRect().bottom";
    for _ in 0..45 {
        browser.keys(UP);
        assert_eq!(browser.run(hidden), json!(false), "{}", focus(&browser));
    }
}
