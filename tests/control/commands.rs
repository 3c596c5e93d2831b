//! What each command answers.

use std::net::Shutdown;

use crate::talk::{Home, rules};

const RULES: &str = "interval = 100ms\n\
    web { 1 { test = \"true\" } 2 { test = \"false\" } }\n\
    db { test = \"true\"; interval = 1h; runs = 1 }\n\
    off { status = disabled; test = x }\n";

#[test]
fn status_tells_how_rules_stand() {
    let home = Home::new("status");
    let mut daemon = home.start(RULES);
    daemon.wait_for("changed state to", 3);
    let mut talk = home.talk();
    let all = talk.ask(r#"{"command":"status"}"#);
    assert_eq!(rules(&all), ["web/1", "web/2", "db", "off"]);
    assert_eq!(all[4]["text"], "4 rules");
    let up = &all[0];
    assert_eq!(
        (&up["type"], &up["state"], &up["own"]),
        (&"rule".into(), &"success".into(), &"success".into())
    );
    assert_eq!(
        (&up["verdict"], &up["reason"], &up["stale"]),
        (&"success".into(), &"ok".into(), &false.into())
    );
    let since = up["since"].as_f64().expect("a moment");
    assert!(since > 1.6e9 && up["ended"].is_null() && up["override"].is_null(), "{up}");
    assert!(up["runs"].as_u64() > Some(0), "{up}");
    assert!(up["running"] == true || up["next"].as_f64() > Some(since), "{up}");
    let down = &all[1];
    assert_eq!((&down["state"], &down["reason"]), (&"fail".into(), &"exit-status".into()));
    assert_eq!(down["detail"], "exit status 1");
    assert_eq!((&all[2]["ended"], &all[3]["ended"]), (&"runs-used-up".into(), &"disabled".into()));
    assert_eq!((&all[3]["state"], &all[3]["verdict"]), (&"unknown".into(), &serde_json::Value::Null));
    for (pattern, found, text) in [
        ("web/*", &["web/1", "web/2"][..], "2 rules"),
        ("web/2", &["web/2"], "1 rule"),
        ("[do]*", &["db", "off"], "2 rules"),
    ] {
        let answer = talk.ask(&format!(r#"{{"command":"status","rules":"{pattern}"}}"#));
        assert_eq!(rules(&answer), found);
        assert_eq!(answer.last().expect("the last")["text"], text);
    }
    for nothing in ["web", "WEB/1", "", "x\\u001b\\n"] {
        let text = talk.refused(&format!(r#"{{"command":"status","rules":"{nothing}"}}"#));
        assert!(text.starts_with("no rule matches '") && !text.contains(char::is_control), "{text:?}");
    }
}

#[test]
fn stats_counts_since_the_start() {
    let home = Home::new("stats");
    let mut daemon =
        home.start(&format!("dataplane = memory\n{RULES}t {{ test = \"tcp://127.0.0.1:1\"; tables = web }}"));
    daemon.wait_for("changed state to", 4);
    let _beside = home.talk();
    let mut talk = home.talk();
    assert!(crate::harness::patiently(|| talk.stats()["clients"] == 2));
    let answer = talk.ask(r#"{"command":"stats"}"#);
    assert_eq!(answer.len(), 2, "{answer:?}");
    let stats = &answer[0];
    for (member, value) in [("rules", 5), ("up", 2), ("down", 2), ("unknown", 1), ("stale", 0), ("tables", 1)]
    {
        assert_eq!(stats[member], value, "{member}: {stats}");
    }
    assert_eq!((&stats["reloads"], &stats["clients"]), (&0.into(), &2.into()));
    assert_eq!(stats["pid"], daemon.pid());
    assert_eq!(stats["version"], env!("CARGO_PKG_VERSION"));
    assert!(stats["config"].as_str().expect("a name").ends_with("/hfm.conf"), "{stats}");
    assert_eq!((&stats["log_level"], &stats["dropped_lines"]), (&"info".into(), &0.into()));
    assert!(stats["runs"].as_u64() >= Some(4) && stats["failures"].as_u64() >= Some(2), "{stats}");
    assert!(stats["turn_max_us"].as_u64() > Some(0) && stats["started"].as_f64() > Some(1.6e9), "{stats}");
}

#[test]
fn the_level_of_the_log_follows_and_the_rest_is_quiet() {
    let home = Home::new("log");
    let mut daemon = home.start("interval = 50ms\na { test = \"true\" }\n");
    let mut talk = home.talk();
    assert!(!daemon.log().contains("verdict=ok"));
    assert_eq!(talk.done(r#"{"command":"log","level":"debug"}"#), "the log's level is debug, was info");
    daemon.wait_for("verdict=ok", 2);
    assert_eq!(talk.stats()["log_level"], "debug");
    assert_eq!(talk.done(r#"{"command":"log","level":"off"}"#), "the log's level is off, was debug");
    assert_eq!(talk.stats()["log_level"], "off");
    // From a level that would not have let it through, too.
    assert_eq!(talk.done(r#"{"command":"log","level":"INFO"}"#), "the log's level is info, was off");
    let who = format!("uid={} pid={}", nix::unistd::getuid(), std::process::id());
    for level in ["debug", "off", "info"] {
        let line = format!("control: log {level} {who}");
        daemon.wait_for(&line, 1);
    }
    let text = talk.refused(r#"{"command":"log","level":"loud\u0007"}"#);
    assert_eq!(text, "'loud\\u{7}' is no level; give off, error, warn, info, debug or trace");
    assert_eq!(talk.stats()["log_level"], "info");
}

#[test]
fn stop_is_answered_and_then_as_term() {
    let home = Home::new("stop");
    let mut daemon = home.start(
        "a { test = \"false\"; interval = 1h; change_fail = sh; \
         change_fail_arguments = [-c, 'touch @DIR@/started; sleep 1; touch @DIR@/done'] }\n",
    );
    daemon.wait_for("changed state to", 1);
    assert!(crate::harness::patiently(|| home.0.path.join("started").exists()));
    let mut talk = home.talk();
    let mut other = home.talk();
    assert_eq!(talk.done(r#"{"command":"stop"}"#), "hfm is ending");
    // Until it has ended it goes on answering, and changes nothing any more.
    assert_eq!(other.refused(r#"{"command":"reload"}"#), "hfm is ending");
    assert_eq!(other.done(r#"{"command":"stop"}"#), "hfm is ending already");
    assert_eq!(rules(&other.ask(r#"{"command":"status"}"#)), ["a"]);
    assert!(talk.is_closed());
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(home.0.path.join("done").exists(), "what was due was waited for");
    assert!(!home.socket().exists());
    let who = format!("control: stop uid={} pid={}", nix::unistd::getuid(), std::process::id());
    assert_eq!(daemon.log().matches(&who).count(), 2, "{}", daemon.log());
    assert!(daemon.tells("control: stopping"), "{}", daemon.log());
}

#[test]
fn whoever_asks_and_leaves_is_heard() {
    let home = Home::new("leave");
    let mut daemon = home.start("a { test = \"true\"; interval = 1h }\n");
    let mut talk = home.talk();
    talk.send(b"{\"command\":\"reload\"}\n");
    drop(talk);
    daemon.wait_for("reloaded rules=1", 1);
    let mut talk = home.talk();
    talk.send(b"{\"command\":\"stop\"}\n");
    drop(talk);
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn requests_that_come_together_are_answered_in_their_order_after_the_end_too() {
    let home = Home::new("pipelined");
    let _daemon = home.start(RULES);
    let mut talk = home.talk();
    let requests = [
        r#"{"command":"status","rules":"web/1"}"#,
        r#"{"command":"nonsense"}"#,
        r#"{"command":"status","rules":"db"}"#,
        r#"{"command":"reload"}"#,
        r#"{"command":"status","rules":"off"}"#,
    ];
    talk.send(format!("{}\n", requests.join("\n")).as_bytes());
    talk.stream().shutdown(Shutdown::Write).expect("half of it");
    assert_eq!(rules(&talk.answer()), ["web/1"]);
    assert_eq!(talk.answer()[0]["type"], "refused");
    assert_eq!(rules(&talk.answer()), ["db"]);
    assert_eq!(talk.answer()[0]["text"], "reloaded: 4 rules: 4 kept, 0 adjusted, 0 changed, 0 new; 0 gone");
    assert_eq!(rules(&talk.answer()), ["off"]);
    assert!(talk.line().is_none(), "then it is closed");
}
