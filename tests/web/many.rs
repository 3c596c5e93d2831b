//! Many rules: it stays usable, and cheap.

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::stand_in::StandIn;
use crate::world;

/// Rules in groups of 20, two of all down.
fn many(count: usize) -> Value {
    let rules = (0..count).map(|number| {
        let name = format!("site{}/rack{}/host{number}", number / 200, number / 20 % 10);
        if number == 3 || number == 777 { world::down(&name) } else { world::up(&name) }
    });
    world::status(rules.collect(), vec![])
}

/// From the arrival of the status to what is painted, in ms.
#[allow(clippy::print_stdout, reason = "a figure for whoever asks")]
fn painted(browser: &Browser, rules: usize) -> f64 {
    browser.wait("it is painted", "performance.getEntriesByName('painted').length");
    let took = browser.run("return performance.getEntriesByName('painted')[0].duration").as_f64().unwrap();
    println!("{rules} rules: painted {took:.0} ms after the status came");
    took
}

#[test]
fn of_a_thousand_rules_those_in_trouble_are_seen_and_any_is_found() {
    let Some(browser) = Browser::start("of_a_thousand_rules_those_in_trouble_are_seen_and_any_is_found")
    else {
        return;
    };
    let server = StandIn::new(many(1000));
    browser.open_live(&server.url());
    painted(&browser, 1000);
    assert_eq!(browser.text("#headline"), "2 of 1,000 rules down: site0/rack0/host3, site3/rack8/host777.");
    let open = "return [...document.querySelectorAll('.group h3 button[aria-expanded=true]')].map((node) => node.textContent)";
    assert_eq!(browser.run(open), json!(["site0/rack0", "site3/rack8"]));
    assert_eq!(
        browser.run("return document.querySelectorAll('.row').length"),
        json!(40),
        "what is folded has no rows"
    );
    browser.keys("/");
    browser.keys("host512");
    browser.wait("it is found", "document.querySelectorAll('.row').length === 1");
    assert_eq!(
        browser.run("return document.querySelector('.row').dataset.rule"),
        json!("site2/rack5/host512")
    );
    assert_eq!(browser.text("#shown"), "1 of 1,000");
}

#[test]
fn ten_thousand_rules_in_one_group_are_shown_by_the_hundred() {
    let Some(browser) = Browser::start("ten_thousand_rules_in_one_group_are_shown_by_the_hundred") else {
        return;
    };
    let rules = (0..10_000)
        .map(|number| if number == 8888 { world::down("h8888") } else { world::up(&format!("h{number}")) });
    let server = StandIn::new(world::status(rules.collect(), vec![]));
    browser.open_live(&server.url());
    painted(&browser, 10_000);
    assert_eq!(browser.run("return document.querySelectorAll('.row').length"), json!(100));
    assert_eq!(
        browser.run("return document.querySelector('.row').dataset.rule"),
        json!("h8888"),
        "the worst is first"
    );
    assert_eq!(browser.text(".more"), "Show 100 more of 9,900");
    browser.run("document.querySelector('.more').click()");
    browser.wait("more are there", "document.querySelectorAll('.row').length === 200");
}

/// A reading that changes nothing leaves the document as it is, but for the times in it.
#[test]
fn what_did_not_change_is_not_drawn_again() {
    let Some(browser) = Browser::start("what_did_not_change_is_not_drawn_again") else { return };
    let server = StandIn::new(many(1000));
    browser.open_live(&server.url());
    painted(&browser, 1000);
    browser.run(
        "window.writes = []; new MutationObserver((all) => all.forEach((one) => window.writes.push(one.target.className || one.target.nodeName))) \
         .observe(document.getElementById('groups'), {childList: true, attributes: true, subtree: true}); window.reads = \
         performance.getEntriesByType('resource').length",
    );
    browser.wait("it is read again", "performance.getEntriesByType('resource').length > window.reads + 1");
    let writes = browser.run("return window.writes.filter((name) => name !== 'since')");
    assert_eq!(writes, json!([]));
}

#[test]
fn in_an_outage_of_all_no_more_is_drawn_than_can_be_read() {
    let Some(browser) = Browser::start("in_an_outage_of_all_no_more_is_drawn_than_can_be_read") else {
        return;
    };
    let rules = (0..1000).map(|number| world::down(&format!("rack{}/host{number}", number / 20)));
    let server = StandIn::new(world::status(rules.collect(), vec![]));
    browser.open_live(&server.url());
    painted(&browser, 1000);
    let rows = "return document.querySelectorAll('.row').length";
    assert_eq!(browser.run(rows), json!(400));
    browser.run("document.querySelector('.group:last-child .fold').click()");
    browser.wait("what is opened by hand is shown", "document.querySelectorAll('.row').length === 420");
}

#[test]
fn more_that_was_asked_for_stays_under_a_filter() {
    let Some(browser) = Browser::start("more_that_was_asked_for_stays_under_a_filter") else { return };
    let rules = (0..350).map(|number| world::up(&format!("rack{}/host{number}", number / 300)));
    let server = StandIn::new(world::status(rules.collect(), vec![]));
    browser.open_live(&format!("{}#search=host", server.url()));
    browser.wait("it is filtered", "document.querySelectorAll('.row').length === 150");
    browser.run("document.querySelector('.more').click()");
    browser.wait("more are there", "document.querySelectorAll('.row').length === 250");
    browser.run("window.reads = performance.getEntriesByType('resource').length");
    browser.wait("it is read again", "performance.getEntriesByType('resource').length > window.reads + 1");
    assert_eq!(browser.run("return document.querySelectorAll('.row').length"), json!(250));
}
