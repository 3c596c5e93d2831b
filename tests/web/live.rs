//! What happens while one looks.

use serde_json::json;

use crate::driver::Browser;
use crate::stand_in::{StandIn, now};
use crate::world;

#[test]
fn a_change_is_in_its_row_at_once_and_without_a_reload() {
    let Some(browser) = Browser::start("a_change_is_in_its_row_at_once_and_without_a_reload") else { return };
    // The status stays as it is: what the row says meanwhile, the event alone has told it.
    let server = StandIn::new(world::status(vec![world::up("web/1"), world::up("web/2")], vec![]));
    browser.open_live(&server.url());
    browser.run(
        "window.same = document.querySelector('[data-rule=\"web/2\"]'); window.looks = []; window.heads = []; \
         const head = document.getElementById('headline'); \
         new MutationObserver(() => window.looks.push(window.same.textContent)).observe(window.same, {attributes: true}); \
         new MutationObserver(() => window.heads.push(head.textContent)).observe(head, {childList: true, subtree: true})",
    );
    server.event(world::change("web/2", "fail", "Connection refused"));
    // By then a status was begun after the event, and that has the last word.
    browser.wait("the row has changed, and back", "window.looks.length === 2");
    let looks = browser.run("return window.looks");
    let fell = looks[0].as_str().unwrap();
    assert!(fell.trim_start().starts_with("down"), "{fell}");
    assert!(fell.contains("Connection refused"), "{fell}");
    let heads = browser.run("return window.heads");
    assert_eq!(heads[0], "1 of 2 rules down: web/2.");
    assert_eq!(browser.run("return window.same.isConnected"), json!(true), "the row is the one it was");
    let events = browser.text("#event-list");
    assert!(events.contains("web/2 is down: Connection refused"), "{events}");
}

#[test]
fn a_status_begun_before_a_change_does_not_take_it_back() {
    let Some(browser) = Browser::start("a_status_begun_before_a_change_does_not_take_it_back") else {
        return;
    };
    let server = StandIn::new(world::status(vec![world::up("a"), world::up("b")], vec![]));
    browser.open_live(&server.url());
    server.event(world::change("a", "fail", "Connection refused"));
    server.change(|status| status["event"] = json!(40));
    browser.wait("the row says so", "document.querySelector('[data-rule=a]').dataset.look === 'down'");
    browser.wait(
        "it is read again",
        "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('status')).length > 3",
    );
    assert_eq!(browser.run("return document.querySelector('[data-rule=a]').dataset.look"), json!("down"));
}

#[test]
fn a_table_that_was_written_is_so_before_the_status_says_why() {
    let Some(browser) = Browser::start("a_table_that_was_written_is_so_before_the_status_says_why") else {
        return;
    };
    let addresses = [("192.0.2.1", true, "up", "a"), ("192.0.2.2", true, "up", "b")];
    let server = StandIn::new(world::status(
        vec![world::up("a"), world::up("b")],
        vec![world::table("web", &addresses)],
    ));
    browser.open_live(&server.url());
    let written = json!({"table": "web", "dry_run": false, "added": [], "removed": ["192.0.2.2"]});
    server.event(world::event("table-written", written));
    server.change(|status| status["event"] = json!(40));
    let sum = "document.querySelector('.table .sum').textContent";
    browser.wait("it is one less", &format!("{sum} === '1 of 2 in'"));
    assert_eq!(browser.text(".addresses [data-look=down] .quiet"), "out");
    assert_eq!(browser.text("#headline"), "Table web 1 of 2.");
    server.change(|status| {
        status["event"] = json!(41);
        status["tables"][0] = world::table("web", &[addresses[0], ("192.0.2.2", false, "down", "b")]);
    });
    browser.wait(
        "the status says why",
        "document.querySelector('.addresses [data-look=down] .quiet').textContent === 'out: down'",
    );
}

#[test]
fn in_a_dry_run_nothing_is_told_to_be_written() {
    let Some(browser) = Browser::start("in_a_dry_run_nothing_is_told_to_be_written") else { return };
    let table = world::with(world::table("web", &[("192.0.2.1", true, "up", "a")]), json!({"dry_run": true}));
    let mut status = world::status(vec![world::up("a")], vec![table]);
    let demotion = json!({"total": 20, "lost": false, "wanted": {"b": 20}});
    status["stats"] = world::with(status["stats"].take(), json!({"dry_run": true, "demotion": demotion}));
    let server = StandIn::new(status);
    browser.open_live(&server.url());
    let card = browser.text(".table");
    assert!(card.contains("1 of 1 would be in") && card.contains("dry run: nothing is written"), "{card}");
    assert!(!card.contains("ago"), "{card}");
    let written = json!({"table": "web", "dry_run": true, "added": ["192.0.2.1"], "removed": []});
    server.event(world::event("table-written", written));
    let said = "table web would be written (dry run), in: 192.0.2.1";
    browser
        .wait("it is told", &format!("document.getElementById('event-list').textContent.includes('{said}')"));
    let facts = browser.run("return document.getElementById('monitor-facts').textContent");
    assert!(facts.as_str().unwrap().contains("20, not written (dry run)"), "{facts}");
}

#[test]
fn failures_one_after_the_other_are_one_event_with_their_number() {
    let Some(browser) = Browser::start("failures_one_after_the_other_are_one_event_with_their_number") else {
        return;
    };
    let server = StandIn::new(world::status(vec![world::down("a"), world::up("b")], vec![]));
    browser.open_live(&server.url());
    let failed = |rule: &str, detail: &str| world::event("failed", json!({"rule": rule, "detail": detail}));
    server.event(world::change("a", "fail", "status 503"));
    for detail in ["status 503", "status 503", "Connection refused"] {
        server.event(failed("a", detail));
        server.event(world::event("debounced", json!({"rule": "a"})));
        server.event(failed("b", "status 500"));
    }
    server.event(world::change("a", "success", "ok"));
    server.event(failed("a", "Connection refused"));
    browser.wait("all are there", "document.querySelectorAll('#event-list li').length === 6");
    let told = browser.run(
        "return [...document.querySelectorAll('#event-list .data')].map((node) => node.textContent.replace(/[0-9:]{8}$/, 'TIME'))",
    );
    let expected = json!([
        "a failed: Connection refused",
        "a is up",
        "a failed: Connection refused",
        "b failed: status 500, 3 times until TIME",
        "a failed: status 503, 2 times until TIME",
        "a is down: status 503"
    ]);
    assert_eq!(told, expected);
}

#[test]
fn it_keeps_working_over_a_restart_of_hfm() {
    let Some(browser) = Browser::start("it_keeps_working_over_a_restart_of_hfm") else { return };
    let server = StandIn::new(world::status(vec![world::up("a"), world::up("b")], vec![]));
    browser.open_live(&server.url());
    browser.run("window.same = 1");
    server.event(world::event("loaded", json!({"message": "of the first life"})));
    browser.wait(
        "it has heard",
        "document.getElementById('event-list').textContent.includes('of the first life')",
    );
    server.stop();
    browser.wait(
        "it says that it is cut off",
        "document.getElementById('link-words').textContent.startsWith('reconnecting since ')",
    );
    let mut anew = world::status(vec![world::up("a"), world::down("c")], vec![]);
    anew["hfm"]["started"] = json!(now());
    anew["hfm"]["pid"] = json!(977);
    // Its numbers begin anew, below those of before.
    anew["event"] = json!(3);
    server.start_again(anew);
    browser.wait("it is live again", "document.getElementById('link').dataset.link === 'live'");
    browser.wait(
        "it has all of the new one",
        "document.querySelector('[data-rule=c]') && !document.querySelector('[data-rule=b]')",
    );
    server.change(|status| status["rules"][0] = world::down("a"));
    server.event(world::change("a", "fail", "Connection reset"));
    browser.wait("events are heard", "document.querySelector('[data-rule=a]').dataset.look === 'down'");
    browser.wait(
        "and told",
        "document.getElementById('event-list').textContent.includes('a is down: Connection reset')",
    );
    let events = browser.text("#event-list");
    assert!(events.contains("hfm was restarted; it now runs as process 977"), "{events}");
    assert_eq!(browser.run("return window.same"), json!(1), "it was not loaded again");
}

#[test]
fn what_was_missed_is_said_and_the_status_read() {
    let Some(browser) = Browser::start("what_was_missed_is_said_and_the_status_read") else { return };
    let server = StandIn::new(world::status(vec![world::up("a")], vec![]));
    browser.open_live(&server.url());
    server.missed(17);
    browser.wait("it is said", "document.getElementById('events-words').textContent === '17 missed'");
    assert!(browser.text("#event-list").contains("17 events missed"));
}

#[test]
fn events_can_be_held_still_and_searched() {
    let Some(browser) = Browser::start("events_can_be_held_still_and_searched") else { return };
    let server = StandIn::new(world::status(vec![world::up("a")], vec![]));
    for number in 0..600 {
        server.event(world::event("loaded", json!({"message": format!("event #{number}")})));
    }
    browser.open_live(&server.url());
    browser.wait(
        "the newest is first",
        "document.querySelector('#event-list li').textContent.includes('event #599')",
    );
    browser.run("document.getElementById('pause').click()");
    server.event(world::event("loaded", json!({"message": "a late one"})));
    browser
        .wait("it is counted", "document.getElementById('events-words').textContent === 'paused, 1 newer'");
    assert!(!browser.text("#event-list").contains("a late one"));
    browser.run("document.getElementById('pause').click()");
    browser
        .wait("it is shown", "document.querySelector('#event-list li').textContent.includes('a late one')");
    browser.run("document.getElementById('events-search').focus()");
    browser.keys("event #10");
    let found =
        "[...document.querySelectorAll('#event-list li')].map((node) => node.textContent.split(' ').pop())";
    browser.wait(
        "those that match",
        &format!("{found}.join() === '#109,#108,#107,#106,#105,#104,#103,#102,#101'"),
    );
}
