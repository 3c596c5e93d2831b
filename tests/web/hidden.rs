//! A page behind others: it leaves the connections to them, and its title and icon stay true.

use serde_json::json;

use crate::driver::Browser;
use crate::stand_in::StandIn;
use crate::world;

/// Has a page believe that it is hidden, or seen again. A hidden one is drawn no frame of until it is seen; time runs
/// faster there.
const SHOW: &str = "const [frame, later, waiting] = [window.requestAnimationFrame, window.setTimeout, []]; \
    window.show = (seen) => { Object.defineProperty(document, 'hidden', {configurable: true, value: !seen}); \
        window.requestAnimationFrame = seen ? frame : (call) => waiting.push(call); \
        window.setTimeout = seen ? later : (call, ms) => later(call, Math.min(ms, 300)); \
        if (seen) waiting.splice(0).forEach((call) => frame(call)); \
        document.dispatchEvent(new Event('visibilitychange')); };";

fn title(browser: &Browser, begins: &str) {
    browser.wait(
        &format!("the title begins with {begins:?}"),
        &format!("document.title.startsWith({})", json!(begins)),
    );
}

#[test]
fn it_holds_no_stream_and_its_title_and_icon_stay_true() {
    let Some(browser) = Browser::start("it_holds_no_stream_and_its_title_and_icon_stay_true") else { return };
    let server = StandIn::new(world::status(vec![world::up("a"), world::up("b")], vec![]));
    browser.open_live(&server.url());
    title(&browser, "all up · gw1");
    let icon = "return document.getElementById('icon').href";
    let well = browser.run(icon);
    browser.run(&format!("{SHOW} window.show(false)"));
    server.paths();
    server.change(|status| status["rules"][0] = world::down("a"));
    server.event(world::change("a", "fail", "Connection refused"));
    title(&browser, "1 down · gw1");
    assert_ne!(browser.run(icon), well);
    let asked = server.paths();
    assert!(asked.iter().all(|path| path == "/api/v1/status"), "{asked:?}");
    let told = "return document.getElementById('event-list').textContent";
    assert!(!browser.run(told).as_str().unwrap().contains("a is down"), "nobody has told it");
    let ill = browser.run(icon);
    server.stop();
    title(&browser, "no answer · gw1");
    assert_ne!(browser.run(icon), ill);
    let mut anew = world::status(vec![world::down("a"), world::down("b")], vec![]);
    anew["event"] = json!(41);
    server.start_again(anew);
    title(&browser, "2 down · gw1");
    assert_eq!(browser.run(icon), ill);
    server.event(world::change("b", "fail", "Connection reset"));
    browser.run("window.show(true)");
    browser.wait("it is live again", "document.getElementById('link').dataset.link === 'live'");
    browser.wait(
        "what happened meanwhile is told",
        "document.getElementById('event-list').textContent.includes('b is down: Connection reset')",
    );
}
