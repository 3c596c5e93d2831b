//! The page before the built hfm: what it shows is what is so, and what happens is seen as it happens.

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::site::{Backend, Site};
use crate::stand_in::now;

pub(crate) const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nup\n";
pub(crate) const BUSY: &str =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Every rule of the page: its name, its state, whether it is stale, what is set, why.
const ROWS: &str = "return Object.fromEntries([...document.querySelectorAll('.row')].map((row) => [row.dataset.rule, \
    {state: row.querySelector('.state').textContent.trim(), why: row.querySelector('.why').textContent.trim()}]))";
/// Every table: its sum, and what is said of each address.
const TABLES: &str = "return Object.fromEntries([...document.querySelectorAll('.table')].map((table) => [table.querySelector('h3').textContent, \
    {sum: table.querySelector('.sum').textContent, addresses: Object.fromEntries([...table.querySelectorAll('.addresses li')].map((one) => \
    [one.querySelector('code').textContent, one.querySelector('.quiet').textContent]))}]))";

/// Rules of a gateway that looks every 100 ms.
const EVERY: &str = "dataplane = memory; interval = 100ms; timeout = 90ms; reconcile = 1s\n";

#[test]
fn rules_and_tables_are_shown_as_the_status_has_them() {
    let Some(browser) = Browser::start("rules_and_tables_are_shown_as_the_status_has_them") else { return };
    let (good, busy) = (Backend::new(GOOD), Backend::new(BUSY));
    let (good, busy) = (good.address, busy.address);
    let rules = format!(
        "{EVERY}\
         lb {{\n\
         \tgood {{ test = \"http://{good}/up\"; tables = \"web\" }}\n\
         \tbusy {{ test = \"http://{busy}/up\"; tables = \"web\" }}\n\
         \trefuses {{ test = \"tcp://127.0.0.3:1\"; tables = \"web\" }}\n\
         \tsorry {{ test = \"http://{good}/up\"; addresses = \"192.0.2.9\"; tables = \"web\"; backup = yes }}\n\
         \tdrained {{ test = \"http://{good}/up\"; addresses = \"192.0.2.10\"; tables = \"web\" }} }}\n\
         last {{ test = \"http://{busy}/up\"; tables = \"mail\"; addresses = \"192.0.2.11\"; min_up = 1 }}\n\
         needs {{ test = \"http://{good}/up\"; requires = [ \"lb/busy\" ] }}\n\
         off {{ test = \"true\"; status = disabled }}\n"
    );
    let site = Site::new("real-shown", &rules);
    site.hfmctl("ann", &["drain", "lb/drained", "--reason", "kernel update", "--force"]);
    site.wait_for("unknown", 1);
    site.wait_for("down", 5);
    browser.open_live(&site.url());
    browser.wait("all is read", "document.querySelectorAll('.row').length === 8");
    let (mut rows, mut tables) = (Value::Null, Value::Null);
    let is_settled = crate::harness::patiently(|| {
        (rows, tables) = (browser.run(ROWS), browser.run(TABLES));
        tables["web"]["sum"] == "1 of 5 in" && tables["mail"]["sum"] == "1 of 1 in"
    });
    assert!(is_settled, "{tables}");
    let status = site.status();
    for rule in status["rules"].as_array().unwrap() {
        let row = &rows[rule["rule"].as_str().unwrap()];
        let word = match (rule["state"].as_str().unwrap(), rule["ended"].is_null()) {
            ("success", _) => "up",
            ("fail", _) => "down",
            (_, true) => "unknown",
            (_, false) => "off",
        };
        assert_eq!(row["state"], word, "{rule}: {rows}");
        let why = row["why"].as_str().unwrap();
        let told = match rule["reason"].as_str() {
            Some("requires") => rule["blame"].as_str(),
            Some("drained") => rule["override"]["reason"].as_str(),
            _ if rule["state"] == "fail" => rule["detail"].as_str(),
            _ => Some(""),
        };
        assert!(why.contains(told.unwrap()), "{why:?} for {rule}");
    }
    assert_eq!(rows["lb/busy"]["why"], "status 503, wanted 200-399");
    assert_eq!(rows["needs"]["why"], "requires lb/busy, which is down");
    assert_eq!(rows["off"]["why"], "disabled in the file");
    for table in status["tables"].as_array().unwrap() {
        let shown = &tables[table["table"].as_str().unwrap()];
        assert_eq!(shown["sum"], format!("{} of {} in", table["actual"], table["managed"]), "{table}");
        let addresses = table["addresses"].as_array().unwrap();
        assert_eq!(shown["addresses"].as_object().unwrap().len(), addresses.len(), "{table}: {shown}");
        for one in addresses {
            let is = if one["actual"] == true { "in" } else { "out" };
            let words = format!("{is}: {}", one["why"].as_str().unwrap());
            assert_eq!(shown["addresses"][one["address"].as_str().unwrap()], words, "{table}");
        }
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
#[allow(clippy::print_stdout, reason = "a figure for whoever asks")]
fn a_backend_that_dies_is_down_in_its_row_and_out_of_its_table_until_it_is_back() {
    const TEST: &str = "a_backend_that_dies_is_down_in_its_row_and_out_of_its_table_until_it_is_back";
    let Some(browser) = Browser::start(TEST) else { return };
    let mut backends = [Backend::new(GOOD), Backend::new(GOOD)];
    let [one, two] = backends.each_ref().map(|backend| backend.address);
    let rules = format!(
        "{EVERY}lb {{ tables = \"web\"; one {{ test = \"http://{one}/up\" }}; two {{ test = \"http://{two}/up\" }} }}\n"
    );
    let site = Site::new("real-dies", &rules);
    site.wait_for("up", 2);
    browser.open_live(&site.url());
    let whole = "document.querySelector('.table .sum').textContent === '2 of 2 in'";
    browser.wait("the table is whole", whole);
    let row = "document.querySelector('[data-rule=\"lb/two\"]')";
    browser.run(&format!(
        "window.same = {row}; window.looks = []; const now = () => performance.timeOrigin + performance.now(); \
         new MutationObserver(() => window.looks.push([window.same.dataset.look, now()])).observe(window.same, {{attributeFilter: ['data-look']}}); \
         new MutationObserver(() => window.looks.push(['table', now()])).observe(document.querySelector('.table .sum'), {{childList: true, subtree: true, characterData: true}})",
    ));
    let died = now();
    backends[1].stop();
    browser.wait("the row is down", "window.same.dataset.look === 'down'");
    browser
        .wait("the table has lost it", "document.querySelector('.table .sum').textContent === '1 of 2 in'");
    let looks = browser.run("return window.looks");
    let at = |what: &str| {
        let seen = looks.as_array().unwrap().iter().find(|look| look[0] == what);
        seen.unwrap_or_else(|| panic!("no {what}: {looks}"))[1].as_f64().unwrap() - died * 1e3
    };
    println!(
        "from the death of a backend, tested every 100 ms, to its row: {:.0} ms; to its table: {:.0} ms",
        at("down"),
        at("table")
    );
    let said = browser.text("[data-rule='lb/two']");
    assert!(said.contains("down") && said.contains("Connection refused"), "{said}");
    browser.wait(
        "the table says why",
        &format!("document.querySelector('.table').textContent.includes('{} out: down')", two.ip()),
    );
    assert_eq!(browser.text("#headline-first"), "1 of 2 rules down: lb/two.");
    let events = browser.text("#event-list");
    assert!(events.contains("lb/two is down: Connection refused"), "{events}");
    assert!(events.contains(&format!("table web written, out: {}", two.ip())), "{events}");
    backends[1].start();
    browser.wait("the row is up", "window.same.dataset.look === 'up'");
    browser.wait("the table is whole again", whole);
    assert_eq!(browser.text("#headline-first"), "Both rules are up, and the table is whole.");
    let events = browser.text("#event-list");
    assert!(events.contains("lb/two is up"), "{events}");
    assert_eq!(browser.run("return window.same.isConnected"), json!(true), "without a reload");
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_restart_of_hfm_is_said_and_lived_through() {
    let Some(browser) = Browser::start("a_restart_of_hfm_is_said_and_lived_through") else { return };
    let mut backend = Backend::new(GOOD);
    let rules =
        format!("{EVERY}lb {{ tables = \"web\"; one {{ test = \"http://{}/up\" }} }}\n", backend.address);
    let mut site = Site::new("real-restart", &rules);
    site.wait_for("up", 1);
    browser.open_live(&site.url());
    browser.run("window.same = 1");
    let process = |site: &Site| {
        format!(
            "document.getElementById('monitor-facts').textContent.includes('Process{},')",
            site.daemon.pid()
        )
    };
    browser.wait("it is this process", &process(&site));
    assert!(site.daemon.stop().success());
    browser.wait(
        "it says that it is cut off",
        "document.getElementById('link-words').textContent.startsWith('reconnecting since ')",
    );
    assert_eq!(browser.run("return document.getElementById('link').dataset.link"), json!("lost"));
    site.start_again();
    browser.wait("it is live again", "document.getElementById('link').dataset.link === 'live'");
    browser.wait("it is the new process", &process(&site));
    browser.wait(
        "it has been said",
        "document.getElementById('event-list').textContent.includes('hfm was restarted; it now runs as process ')",
    );
    backend.stop();
    browser.wait(
        "events of the new one are heard",
        "document.querySelector('[data-rule=\"lb/one\"]').dataset.look === 'down'",
    );
    browser.wait(
        "its numbers are counted anew",
        "document.getElementById('event-list').textContent.includes('lb/one is down: ')",
    );
    assert_eq!(browser.run("return window.same"), json!(1), "it was not loaded again");
    assert!(browser.run("return document.body.className").as_str().is_some_and(|of| !of.contains("old")));
}

#[test]
fn who_drained_a_rule_and_why_is_in_its_row_until_it_is_enabled() {
    let Some(browser) = Browser::start("who_drained_a_rule_and_why_is_in_its_row_until_it_is_enabled") else {
        return;
    };
    let backend = Backend::new(GOOD);
    let up = format!("test = \"http://{}/up\"; tables = \"web\"", backend.address);
    let rules = format!(
        "{EVERY}lb {{ one {{ {up}; addresses = \"192.0.2.1\" }}; two {{ {up}; addresses = \"192.0.2.2\" }} }}\n"
    );
    let site = Site::new("real-drained", &rules);
    site.wait_for("up", 2);
    browser.open_live(&site.url());
    let tag = "document.querySelector('[data-rule=\"lb/one\"] .tag')";
    assert_eq!(browser.run(&format!("return {tag}.hidden")), json!(true));
    site.hfmctl("ann", &["drain", "lb/one", "--for", "2h", "--reason", "kernel update"]);
    browser.wait(
        "who and why is said",
        &format!("{tag}.textContent.startsWith('drained by ann: kernel update, until ')"),
    );
    browser.wait(
        "the table has lost it",
        "document.querySelector('.table').textContent.includes('192.0.2.1 out: drained')",
    );
    assert_eq!(browser.text("[data-filter=override] b"), "1");
    assert_eq!(browser.text("#headline-first"), "1 of 2 rules down: lb/one (drained).");
    let events = browser.text("#event-list");
    assert!(events.contains("lb/one is set to drained by ann: kernel update"), "{events}");
    site.hfmctl("bob", &["enable", "lb/one"]);
    browser.wait("it is over", &format!("{tag}.hidden"));
    browser.wait("the table is whole", "document.querySelector('.table .sum').textContent === '2 of 2 in'");
    let events = browser.text("#event-list");
    assert!(events.contains("lb/one is no longer drained, by bob"), "{events}");
}
