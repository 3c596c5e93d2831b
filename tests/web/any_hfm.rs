//! What holds of the page of any hfm, whatever it watches.

use serde_json::json;

use crate::driver::{Browser, DARK, LIGHT, PHONE, PHONE_DARK, Screen};
use crate::stand_in::StandIn;
use crate::world;

#[test]
fn what_holds_of_any_hfm_holds() {
    let Some(browser) = Browser::start("what_holds_of_any_hfm_holds") else { return };
    checks(&browser, &StandIn::new(world::night()).url());
    if let Ok(url) = std::env::var("HFM_WEB_URL") {
        checks(&browser, &url);
    }
}

/// The checks, of the hfm at this address.
fn checks(browser: &Browser, url: &str) {
    browser.requests();
    browser.open_live(url);
    let status =
        "const done = arguments[0]; fetch('api/v1/status').then((answer) => answer.json()).then(done)";
    let status = browser.run_later(status);
    let rules = status["rules"].as_array().expect("rules").len();
    assert_eq!(browser.text("#host"), status["hfm"]["host"]);
    let all = "document.querySelector('[data-filter=all] b').textContent.replace(',', '')";
    assert_eq!(browser.run(&format!("return {all}")), json!(rules.to_string()));
    assert_ne!(browser.text("#headline"), "");
    for screen in [LIGHT, DARK, PHONE, PHONE_DARK] {
        browser.screen(screen);
        browser.open_live(url);
        browser.run("document.querySelector('.row button, .group button').click()");
        fits(browser, screen);
    }
    browser.screen(LIGHT);
    for request in browser.requests() {
        let is_own = request.starts_with(url) || request.starts_with("data:") || request == "about:blank";
        assert!(is_own, "asks {request}");
    }
    assert_eq!(browser.console(), [""; 0], "the console has errors");
}

/// Nothing is wider than the screen.
pub(crate) fn fits(browser: &Browser, screen: Screen) {
    let wider = browser.run(
        "const wide = document.documentElement.clientWidth; \
         const within = (node) => { const box = node.parentElement && node.closest('.hush, .skip, .scroll, svg'); return Boolean(box); }; \
         return [...document.querySelectorAll('body *')].filter((node) => !within(node) && \
           node.getBoundingClientRect().right > wide + 1).map((node) => node.tagName + '.' + node.className + ' ' + node.textContent.slice(0, 60)).slice(0, 5)",
    );
    assert_eq!(wider, json!([]), "{screen:?}");
    let widths = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(widths), json!(0), "{screen:?} scrolls sideways");
}
