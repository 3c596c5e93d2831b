//! Where things stand, on screens of all sizes.

use serde_json::{Value, json};

use crate::driver::{Browser, LIGHT, PHONE, Screen};
use crate::stand_in::{StandIn, now};
use crate::world;

/// Rules with the longest words and figures that are usual.
fn long() -> Value {
    let times = json!({"p50_us": 999_000, "p99_us": 888_000, "since": now() - 172_740.0});
    let unknown = json!({"state": "unknown", "own": "unknown", "p50_us": 9_900_000, "p99_us": 9_900_000});
    let rules = ["a/one", "a/two", "a/three"].map(|name| world::with(world::down(name), times.clone()));
    let mut rules = Vec::from(rules);
    rules[1] = world::with(rules[1].clone(), unknown);
    world::status(rules, vec![])
}

#[test]
fn no_column_runs_into_another_at_any_width() {
    let Some(browser) = Browser::start("no_column_runs_into_another_at_any_width") else { return };
    let server = StandIn::new(long());
    browser.open_live(&server.url());
    for width in [860, 861, 876, 889, 890, 891, 960, 1159, 1160, 1239, 1240, 1280, 1400, 1499, 1500, 1920] {
        browser.screen(Screen { width, ..LIGHT });
        let over = browser.run(
            "const over = []; for (const row of document.querySelectorAll('.row')) { \
             const box = (node) => { const range = document.createRange(); range.selectNodeContents(node); return range.getBoundingClientRect(); }; \
             const cells = [...row.children].filter((node) => node.matches('.state, .since, .times, .spark, .avail') && node.getClientRects().length); \
             for (const cell of cells) { const [inner, outer] = [box(cell), cell.getBoundingClientRect()]; \
             if (inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5) over.push(`${cell.className} ${inner.width} in ${outer.width}`); } \
             const last = cells.at(-1).getBoundingClientRect().right; \
             if (last > row.getBoundingClientRect().right) over.push(`the row ends at ${row.getBoundingClientRect().right}, what is in it at ${last}`); } \
             return over",
        );
        assert_eq!(over, json!([]), "{width}");
    }
}

#[test]
fn on_a_phone_the_bars_of_all_rules_line_up() {
    let Some(browser) = Browser::start("on_a_phone_the_bars_of_all_rules_line_up") else { return };
    let short = json!({"p50_us": 1, "p99_us": 2});
    let rules = vec![world::with(world::up("a"), short), world::down("b")];
    let server = StandIn::new(world::status(rules, vec![]));
    browser.screen(PHONE);
    browser.open_live(&server.url());
    let widths = "return new Set([...document.querySelectorAll('.avail svg')].map((node) => node.getBoundingClientRect().width)).size";
    assert_eq!(browser.run(widths), json!(1));
}
