//! What strangers say, through the built hfm and onto the page: it stays text.
//!
//! Of what a backend sends, the name of whoever issued its certificate reaches the detail of a rule; what a test
//! prints is an event. Operators choose reasons and their own names, and whoever writes the file the names of rules
//! and patterns, which failures repeat. (The name of a table has none of `<>"'`: the file is refused.)

use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::driver::Browser;
use crate::real::GOOD;
use crate::site::{Backend, Site, answer_http};

const SCRIPT: &str = "<script>window.harmed = 1</script>";
const IMAGE: &str = "<img src=x onerror=window.harmed=1>";
const BREAKOUT: &str = "'`></title></style></template></svg><svg onload=window.harmed=1>";
/// A name of a rule has no slash.
const NAME: &str = "<b><img src=x onerror=window.harmed=1>";

#[test]
fn what_strangers_say_is_shown_as_text_and_runs_nothing() {
    let Some(browser) = Browser::start("what_strangers_say_is_shown_as_text_and_runs_nothing") else {
        return;
    };
    let (tls, plain) = (tls_backend(IMAGE), Backend::new(GOOD));
    let rules = format!(
        "dataplane = memory; interval = 200ms; timeout = 190ms\n\
         tls {{ test = \"https://{}/\" }}\n\
         \"{NAME}\" {{ test = \"http://{}/\"; tables = \"web\"; addresses = \"192.0.2.1\" }}\n\
         prints {{ test = sh; test_arguments = [ -c, \"echo \\\"$0\\\"; echo \\\"$1\\\" >&2; exit 1\", \"{SCRIPT}\", \"{BREAKOUT}\" ] }}\n\
         lacks {{ test = \"http://{}/\"; expect = \"{IMAGE}\" }}\n",
        tls.address, plain.address, plain.address
    );
    let site = Site::new("real-strangers", &rules);
    site.wait_for("down", 3);
    let request =
        json!({"command": "drain", "rules": "prints", "reason": format!("{SCRIPT}{BREAKOUT}"), "by": IMAGE});
    assert_eq!(site.talk().done(&request.to_string()), "1 rule drained");
    site.wait_for("overrides", 1);
    browser.open_live(&site.url());
    // Each of the ways has brought it to the page.
    for (rule, words) in [("tls", IMAGE), ("lacks", IMAGE), ("prints", SCRIPT), ("prints", IMAGE)] {
        browser.wait(
            &format!("{rule} says {words}"),
            &format!(
                "document.querySelector('[data-rule={rule}] .why').textContent.includes({})",
                json!(words)
            ),
        );
    }
    for text in [SCRIPT, BREAKOUT, NAME] {
        browser.wait(
            &format!("the events have {text}"),
            &format!("document.getElementById('event-list').textContent.includes({})", json!(text)),
        );
    }
    browser.wait(
        "a name is a name",
        &format!(
            "[...document.querySelectorAll('.row')].some((row) => row.dataset.rule === {})",
            json!(NAME)
        ),
    );
    for row in 0..4 {
        browser.run(&format!("document.querySelectorAll('.row button')[{row}].click()"));
        browser.wait("its detail is open", "document.querySelector('.sheet')");
        browser.wait(
            "it is this row's",
            &format!("document.querySelector('.sheet h4').textContent === document.querySelectorAll('.row')[{row}].dataset.rule"),
        );
    }
    browser.keys("/");
    browser.keys("<b>");
    browser.wait("a search finds it", "document.querySelectorAll('.row').length === 1");
    assert_eq!(browser.run("return window.harmed ?? null"), json!(null));
    let foreign =
        "return document.querySelectorAll('img, iframe, b img, svg[onload], body script ~ script').length";
    assert_eq!(browser.run(foreign), json!(0));
    assert_eq!(browser.console(), [""; 0], "the policy had nothing to forbid");
}

/// A server whose certificate was issued by whoever calls himself so.
fn tls_backend(issuer: &str) -> Backend {
    let mut params = CertificateParams::new(vec!["gw.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, issuer);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        );
    let config = Arc::new(config.unwrap());
    Backend::with(Arc::new(move |stream: TcpStream| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        // A client that trusts it not goes away in the middle.
        drop(answer_http(StreamOwned::new(session, stream), GOOD));
    }))
}
