//! The state as it is, in words and shapes.

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::stand_in::{StandIn, now};
use crate::world;

/// The text of a rule's row.
fn row(browser: &Browser, rule: &str) -> String {
    browser.text(&format!("[data-rule={}]", json!(rule)))
}

#[test]
fn the_head_says_in_a_sentence_what_is_not_well() {
    let Some(browser) = Browser::start("the_head_says_in_a_sentence_what_is_not_well") else { return };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    let headline = browser.text("#headline");
    for said in [
        "3 of 17 rules down: mail/in/mx2, web/fra/lb3, web/fra/lb7 (drained).",
        "1 not known yet: mail/in/mx1; 1 stale: dns/ns2; table web 2 of 5, table inet/filter/mail cannot be read",
    ] {
        assert!(headline.contains(said), "{headline}");
    }
    assert!(browser.run("return document.title").as_str().unwrap().starts_with("3 down · gw1"));
    let about = browser.text("#about");
    assert!(about.contains("hfm 0.1.0 · running for 1 h 2 min · nftables · updated "), "{about}");
    let counts = browser.text("#counts").replace('\n', "");
    for count in ["17 all", "3 down", "2 unknown", "1 stale", "1 overridden"] {
        assert!(counts.contains(count), "{counts}");
    }
}

#[test]
fn a_rule_that_has_ended_is_not_waited_for() {
    let Some(browser) = Browser::start("a_rule_that_has_ended_is_not_waited_for") else { return };
    let ended = |name: &str, why: &str, detail: Value| {
        let unknown = json!({"state": "unknown", "own": "unknown", "verdict": null, "reason": null,
            "detail": detail, "ended": why});
        world::with(world::up(name), unknown)
    };
    let words = "nosuchprog: No such file or directory";
    let mut rules = vec![world::up("a"), world::up("b"), ended("used", "runs-used-up", Value::Null)];
    let server = StandIn::new(world::status(rules.clone(), vec![]));
    browser.open_live(&server.url());
    assert_eq!(browser.text("#headline"), "2 of 3 rules up, the rest is not tested.");
    rules.push(ended("prog", "cannot-start", json!(words)));
    server.change(|status| status["rules"] = Value::Array(rules));
    browser.wait("it is there", "document.querySelector('[data-rule=prog]')");
    assert_eq!(browser.text("#headline"), "1 cannot be started: prog.");
    assert!(row(&browser, "prog").contains(&format!("cannot be started: {words}")));
}

#[test]
fn when_all_is_well_it_says_so_in_one_sentence() {
    let Some(browser) = Browser::start("when_all_is_well_it_says_so_in_one_sentence") else { return };
    let table =
        world::table("web", &[("10.0.0.1", true, "up", "a"), ("10.0.0.2", false, "backup stands by", "b")]);
    let server = StandIn::new(world::status(vec![world::up("a"), world::up("b")], vec![table]));
    browser.open_live(&server.url());
    assert_eq!(browser.text("#headline"), "Both rules are up, and the table is whole.");
    server.change(|status| status["health"] = json!(["the writer hangs"]));
    browser.wait(
        "what ails hfm itself is said",
        "document.getElementById('health').textContent === 'the writer hangs'",
    );
    assert_eq!(browser.text("#headline"), "hfm itself is not well.");
}

#[test]
fn a_row_says_state_reason_times_and_who_has_set_it() {
    let Some(browser) = Browser::start("a_row_says_state_reason_times_and_who_has_set_it") else { return };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    let cases: [(&str, &[&str]); 6] = [
        ("web/fra/lb3", &["down", "lb3", "status 503, wanted 200-399", "2 min", "312 µs / 803 µs"]),
        ("web/fra/lb7", &["down", "drained by ann: kernel update, until "]),
        ("mail/in/mx1", &["unknown", "no answer from the name server", "–"]),
        ("mail/in/mx2", &["requires web/fra/lb3, which is down"]),
        ("dns/ns2", &["up", "stale: no recent verdict"]),
        ("mail/old", &["off", "disabled in the file"]),
    ];
    for (rule, said) in cases {
        let text = row(&browser, rule);
        for said in said {
            assert!(text.contains(said), "{rule}: {text}");
        }
    }
    // Pictures have their words, and states their shapes.
    let label = |rule: &str, kind: &str| {
        let script =
            format!("return document.querySelector('[data-rule={}] .{kind} svg').ariaLabel", json!(rule));
        browser.run(&script).as_str().unwrap_or_default().replace('\u{a0}', " ")
    };
    assert_eq!(label("web/fra/lb3", "spark"), "last 48 runs: 3 failed, between 300 µs and 389 µs");
    let availability = label("web/fra/lb3", "avail");
    assert_eq!(availability, "last 8 min, each bar 10 s: failures in 3 of 44 bars, lowest 0 %");
    let shapes = "return new Set([...document.querySelectorAll('.row')].map((row) => \
                  row.dataset.look + row.querySelector('.state path').getAttribute('d'))).size";
    assert_eq!(browser.run(shapes), json!(4), "down, unknown, ended and up, a shape each");
}

#[test]
fn groups_with_trouble_come_first_and_in_them_the_worst_rules() {
    let Some(browser) = Browser::start("groups_with_trouble_come_first_and_in_them_the_worst_rules") else {
        return;
    };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    let groups =
        browser.run("return [...document.querySelectorAll('.group h3')].map((node) => node.textContent)");
    assert_eq!(groups, json!(["mail/in", "web/fra", "dns", "db", "mail"]));
    let rules = browser
        .run("return [...document.querySelectorAll('.row')].slice(0, 5).map((node) => node.dataset.rule)");
    assert_eq!(rules, json!(["mail/in/mx2", "mail/in/mx1", "web/fra/lb3", "web/fra/lb7", "web/fra/lb1"]));
}

#[test]
fn a_table_says_of_each_address_whether_it_is_in_and_why() {
    let Some(browser) = Browser::start("a_table_says_of_each_address_whether_it_is_in_and_why") else {
        return;
    };
    let mut night = world::night();
    night["tables"][0]["addresses"][1]["actual"] = json!(false);
    night["tables"][0]["actual"] = json!(1);
    let server = StandIn::new(night);
    browser.open_live(&server.url());
    let tables = browser.text("#table-list").replace('\n', " ");
    for said in [
        "1 of 5 in",
        "10.2.1.252 out, should be in: up",
        "10.2.1.253 out: down",
        "2001:db8::17 out: backup stands by",
        "10.9.0.1 in: held by min_up",
        "1 held although down",
        "1 other not ours",
        "Operation not permitted; tried again in ",
    ] {
        assert!(tables.contains(said), "{said}: {tables}");
    }
}

#[test]
fn a_count_filters_and_a_second_press_shows_all_again() {
    let Some(browser) = Browser::start("a_count_filters_and_a_second_press_shows_all_again") else { return };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    let shown = "return [...document.querySelectorAll('.row')].map((node) => node.dataset.rule).sort()";
    for (filter, rules) in [
        ("down", json!(["mail/in/mx2", "web/fra/lb3", "web/fra/lb7"])),
        ("unknown", json!(["mail/in/mx1", "mail/old"])),
        ("stale", json!(["dns/ns2"])),
        ("override", json!(["web/fra/lb7"])),
    ] {
        let press = format!("document.querySelector('[data-filter={filter}]').click()");
        browser.run(&press);
        let length = rules.as_array().unwrap().len();
        browser.wait("it is filtered", &format!("document.querySelectorAll('.row').length === {length}"));
        assert_eq!(browser.run(shown), rules, "{filter}");
        // Its address shows the same to whom it is passed on.
        assert_eq!(browser.run("return location.hash"), json!(format!("#show={filter}")));
        browser.run(&press);
        browser.wait("all are back", "document.querySelectorAll('.row').length === 17");
    }
}

#[test]
fn data_that_is_old_is_said_to_be() {
    let Some(browser) = Browser::start("data_that_is_old_is_said_to_be") else { return };
    let server = StandIn::new(world::night());
    browser.open_live(&server.url());
    assert_eq!(browser.text("#old"), "");
    server.stop();
    browser.wait("it is said", "document.getElementById('old').textContent.includes('What is shown is ')");
    assert_eq!(browser.run("return document.body.classList.contains('old')"), json!(true));
    let mut anew = world::night();
    anew["hfm"]["started"] = json!(now());
    server.start_again(anew);
    browser.wait("and not any more", "document.getElementById('old').hidden");
}

#[test]
fn what_the_address_of_the_page_says_is_shown_whenever_it_changes() {
    let Some(browser) = Browser::start("what_the_address_of_the_page_says_is_shown_whenever_it_changes")
    else {
        return;
    };
    let server = StandIn::new(world::night());
    browser.open_live(&format!("{}#show=down", server.url()));
    let rows = |number: u32| format!("document.querySelectorAll('.row').length === {number}");
    browser.wait("those that are down", &rows(3));
    browser.run("document.querySelector('.skip').click()");
    assert_eq!(
        browser.run("return [location.hash, document.activeElement.id]"),
        json!(["#show=down", "rules"])
    );
    browser.run("location.hash = '#search=lb7'");
    browser.wait("what is sought instead", &rows(1));
    let said = "return [document.getElementById('search').value, \
                document.querySelector('[aria-pressed=true]').dataset.filter]";
    assert_eq!(browser.run(said), json!(["lb7", "all"]));
    browser.run("location.hash = ''");
    browser.wait("all are back", &rows(17));
}

#[test]
fn an_address_that_no_rule_has_a_say_in_is_no_trouble() {
    let Some(browser) = Browser::start("an_address_that_no_rule_has_a_say_in_is_no_trouble") else { return };
    let mut table =
        world::table("web", &[("10.0.0.1", true, "up", "a"), ("10.0.0.2", false, "no rule has a say", "b")]);
    table["addresses"][1]["wanted"] = json!(null);
    // As it was found at the start; whoever has changed it since is not corrected.
    table["wanted"] = json!(2);
    let server = StandIn::new(world::status(vec![world::up("a"), world::up("b")], vec![table]));
    browser.open_live(&server.url());
    assert_eq!(browser.text("#headline"), "Both rules are up, and the table is whole.");
    assert_eq!(browser.run("return document.title"), json!("all up · gw1 · hfm"));
    let looks = "return [...document.querySelectorAll('.addresses li')].map((node) => node.dataset.look)";
    assert_eq!(browser.run(looks), json!(["wait", "up"]));
}

#[test]
fn odd_figures_are_told_in_plain_words() {
    let Some(browser) = Browser::start("odd_figures_are_told_in_plain_words") else { return };
    let odd = json!({"p50_us": 9960, "p99_us": 999_999, "certificate_days": -22});
    let soon = json!({"p50_us": 999_499, "p99_us": 9_940, "certificate_days": 1});
    let rules = vec![world::with(world::up("a"), odd), world::with(world::up("b"), soon)];
    let mut status = world::status(rules, vec![]);
    status["hfm"]["dataplane"] = json!(null);
    let server = StandIn::new(status);
    browser.open_live(&server.url());
    assert!(browser.text("#about").contains(" · no tables · "), "{}", browser.text("#about"));
    assert!(row(&browser, "a").contains("10 ms / 1.0 s"), "{}", row(&browser, "a"));
    assert!(row(&browser, "b").contains("999 ms / 9.9 ms"), "{}", row(&browser, "b"));
    for (rule, said) in [("a", "expired 22 days ago"), ("b", "expires in 1 day")] {
        browser.run(&format!("document.querySelector('[data-rule={rule}] button').click()"));
        browser.wait(
            "what is left of its certificate is said",
            &format!(
                "[...document.querySelectorAll('.sheet dd')].some((node) => node.textContent === '{said}')"
            ),
        );
    }
}
