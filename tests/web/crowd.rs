//! A built hfm with more rules than anybody has: the page stays usable. How fast it is is printed.

use serde_json::json;

use crate::driver::Browser;
use crate::real::GOOD;
use crate::site::{Backend, Site};

/// So many of the rules are tested; the rest are disabled in the file.
const TESTED: usize = 300;

/// Rules in groups of 20, with one that refuses.
fn rules(count: usize, backend: &Backend) -> String {
    let mut text = "dataplane = memory; interval = 1s; timeout = 900ms; tables = \"web\"\n".to_owned();
    for number in 0..count {
        let test = match number {
            7 => "test = \"tcp://127.0.0.3:1\"".to_owned(),
            _ if number < TESTED => format!(
                "test = \"http://{}/up\"; addresses = \"10.{}.{}.1\"",
                backend.address,
                number / 200,
                number % 200
            ),
            _ => "test = \"true\"; status = disabled; tables = []".to_owned(),
        };
        let (site, rack) = (number / 200, number / 20 % 10);
        if number % 20 == 0 {
            text.push_str(&format!("site{site}-rack{rack} {{\n"));
        }
        text.push_str(&format!("\thost{number} {{ {test} }}\n"));
        if number % 20 == 19 {
            text.push_str("}\n");
        }
    }
    text
}

#[allow(clippy::print_stdout, reason = "figures for whoever asks")]
fn is_usable(test: &str, count: usize) {
    let Some(browser) = Browser::start(test) else { return };
    let backend = Backend::new(GOOD);
    let site = Site::new(test, &rules(count, &backend));
    site.wait_for("down", 1);
    site.wait_for("up", TESTED as u64 - 1);
    browser.open_live(&site.url());
    browser.wait("it is painted", "performance.getEntriesByName('painted').length");
    let first = browser.run(
        "const painted = performance.getEntriesByName('painted')[0]; \
         return [performance.getEntriesByType('resource').find((one) => one.name.endsWith('status')).duration, painted.duration, painted.startTime + painted.duration]",
    );
    let ms = |of: &serde_json::Value| of.as_f64().unwrap();
    println!(
        "{count} rules: the status came in {:.0} ms, was painted {:.0} ms after that, {:.0} ms after the page was asked for",
        ms(&first[0]),
        ms(&first[1]),
        ms(&first[2])
    );
    let all =
        browser.run("return document.querySelector('[data-filter=all] b').textContent.replace(',', '')");
    assert_eq!(all, json!(count.to_string()));
    assert!(browser.text("#headline-first").ends_with("rules down: site0-rack0/host7."));
    let open = "return [...document.querySelectorAll('.group h3 button[aria-expanded=true]')].map((node) => node.textContent)";
    assert_eq!(browser.run(open), json!(["site0-rack0"]), "what is well is folded");
    // Each of the next readings, from the answer to the frame.
    browser.run(
        "window.took = []; new PerformanceObserver((list) => list.getEntriesByName('painted').forEach((one) => window.took.push(Math.round(one.duration)))) \
         .observe({entryTypes: ['measure']}); window.long = []; new PerformanceObserver((list) => list.getEntries().forEach((one) => window.long.push(Math.round(one.duration)))) \
         .observe({entryTypes: ['longtask']})",
    );
    browser.wait("it is read again and again", "window.took.length > 2");
    println!(
        "{count} rules: painted anew {} ms after an answer; the page stood still for {} ms",
        browser.run("return window.took.join(', ')"),
        browser.run("return window.long.join(', ')")
    );
    browser.keys("/");
    let wanted = format!("host{}", count - 3);
    let began = browser.run("return performance.now()");
    browser.keys(&wanted);
    browser.wait("it is found", "document.querySelectorAll('.row').length === 1");
    println!(
        "{count} rules: one is found {:.0} ms after the first key",
        ms(&browser.run("return performance.now()")) - ms(&began)
    );
    let found = browser.run("return document.querySelector('.row').dataset.rule");
    assert!(found.as_str().unwrap().ends_with(&wanted), "{found}");
    assert!(browser.text(".row").contains("disabled in the file"));
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_thousand_rules_of_a_real_hfm_are_usable() {
    is_usable("a_thousand_rules_of_a_real_hfm_are_usable", 1000);
}

#[test]
fn ten_thousand_rules_of_a_real_hfm_are_usable() {
    is_usable("ten_thousand_rules_of_a_real_hfm_are_usable", 10_000);
}
