//! `/healthz`, as a load balancer asks it.

use crate::browse::Site;
use crate::harness::patiently;

#[test]
fn all_is_well_where_the_writer_writes_and_rules_have_verdicts() {
    let site = Site::new(
        "well",
        "dataplane = memory; interval = 100ms; timeout = 90ms\na { test = \"tcp://127.0.0.2:1\"; tables = t }\n",
    );
    assert!(patiently(|| site.status()["counts"]["down"] == 1));
    let answer = site.get("/healthz");
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"));
}

#[test]
fn a_table_that_cannot_be_written_is_no_health_and_told_by_its_name() {
    // There is no such program, so no table can be read or written.
    let site = Site::new(
        "unwell",
        "dataplane = pfctl; interval = 100ms; timeout = 90ms\na { test = \"tcp://127.0.0.2:1\"; tables = web }\n",
    );
    assert!(patiently(|| site.get("/healthz").status == 503), "{}", site.daemon.log());
    let answer = site.get("/healthz");
    assert!(answer.text().starts_with("table web: "), "{}", answer.text());
    let status = site.status();
    assert_eq!(
        status["health"][0].as_str().map(|why| why.starts_with("table web: ")),
        Some(true),
        "{status}"
    );
    assert!(status["tables"][0]["error"].is_string());
    // Who restarts it on that would only make it worse: it goes on.
    assert!(site.get("/api/v1/status").status == 200);
}
