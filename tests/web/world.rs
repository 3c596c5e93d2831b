//! Statuses and events as hfm tells them.
#![expect(unreachable_pub, reason = "shared by the modules of one test")]

use std::process::Command;

use serde_json::{Value, json};

use crate::stand_in::now;

/// A status of these rules and tables.
pub fn status(rules: Vec<Value>, tables: Vec<Value>) -> Value {
    let started = now().floor() - 3723.5;
    let mut status = json!({
        "hfm": {"version": "0.1.0", "host": "gw1", "pid": 812, "started": started, "now": now(),
            "config": "/etc/hfm.conf", "dataplane": "nftables", "dry_run": false},
        "event": 40,
        "counts": {"rules": rules.len(), "up": 0, "down": 0, "unknown": 0, "stale": 0, "overrides": 0},
        "stats": {"version": "0.1.0", "pid": 812, "started": started, "config": "/etc/hfm.conf", "reloads": 0,
            "rules": rules.len(), "up": 0, "down": 0, "unknown": 0, "stale": 0, "overrides": 0, "runs": 1000,
            "failures": 3, "inconclusive": 0, "missed": 0, "in_flight": 2, "late_p50_us": 60, "late_p99_us": 150,
            "late_p999_us": 800, "late_max_us": 1200, "turn_p50_us": 10, "turn_p99_us": 90, "turn_max_us": 900,
            "tables": tables.len(), "demotion": null, "dropped_lines": 0, "log_level": "info", "clients": 1},
        "health": [],
    });
    status["rules"] = Value::Array(rules);
    status["tables"] = Value::Array(tables);
    status
}

/// A rule that is up.
pub fn up(name: &str) -> Value {
    let since = now() - 7500.0;
    let recent: Vec<u64> = (0..48).map(|run| 300 + run * 37 % 90).collect();
    json!({
        "rule": name, "state": "success", "own": "success", "since": since, "verdict": "success", "reason": "ok",
        "detail": "ok", "blame": null, "p50_us": 312, "p99_us": 803, "availability": 99.978, "runs": 3600,
        "failures": 1, "inconclusive": 0, "missed": 0, "next": now() + 1.0, "running": false, "stale": false,
        "ended": null, "override": null, "test": "http://10.2.1.251/up", "interval_ms": 1000.0, "recent_us": recent,
        "history": {"bucket_s": 10, "since": now() - 480.0, "up": vec![100; 48]}, "certificate_days": null
    })
}

/// A rule that is down.
pub fn down(name: &str) -> Value {
    let mut recent: Vec<Value> = (0..45).map(|run| json!(300 + run * 37 % 90)).collect();
    recent.extend([Value::Null, Value::Null, Value::Null]);
    let mut history: Vec<Value> = vec![Value::Null; 4];
    history.extend(vec![json!(100); 41]);
    history.extend([json!(80), json!(0), json!(0)]);
    with(
        up(name),
        json!({
            "state": "fail", "own": "fail", "since": now() - 134.0, "verdict": "failure", "reason": "http-status",
            "detail": "status 503, wanted 200-399", "failures": 140, "availability": 98.2, "recent_us": recent,
            "history": {"bucket_s": 10, "since": now() - 480.0, "up": history}
        }),
    )
}

/// The same with these members instead.
pub fn with(mut of: Value, members: Value) -> Value {
    if let Value::Object(members) = members {
        of.as_object_mut().unwrap().extend(members);
    }
    of
}

/// A table with these addresses: in or out, why, and the rule that decides.
pub fn table(name: &str, addresses: &[(&str, bool, &str, &str)]) -> Value {
    let is_in = addresses.iter().filter(|(_, is_in, ..)| *is_in).count();
    let held = addresses.iter().filter(|(.., why, _)| why.starts_with("held")).count();
    let rows: Vec<Value> = addresses
        .iter()
        .map(|(address, is_in, why, rule)| {
            json!({"table": name, "address": address, "wanted": is_in, "actual": is_in,
                "held": why.starts_with("held"), "why": why, "rules": [rule]})
        })
        .collect();
    json!({"table": name, "dataplane": "nftables", "managed": rows.len(), "wanted": is_in, "actual": is_in,
        "held": held, "others": 0, "repairs": 0, "written": now() - 130.0, "error": null, "retry": null,
        "addresses": rows})
}

/// The gateway of an ordinary bad night: all that the page can show is on it.
pub fn night() -> Value {
    let mut rules: Vec<Value> = (1..=9).map(|number| up(&format!("web/fra/lb{number}"))).collect();
    rules[2] = down("web/fra/lb3");
    rules[6] = with(
        down("web/fra/lb7"),
        json!({"reason": "drained", "detail": "drained by an operator", "own": "success", "verdict": "success",
            "override": {"kind": "drained", "reason": "kernel update", "uid": 0, "by": "ann",
                "since": now() - 400.0, "until": now() + 3600.0}}),
    );
    rules.extend(["db/primary", "db/replica-1", "db/replica-2", "dns/ns1"].map(up));
    rules.push(with(up("dns/ns2"), json!({"stale": true, "certificate_days": 41})));
    rules.push(with(
        up("mail/in/mx1"),
        json!({"state": "unknown", "own": "unknown", "verdict": "inconclusive", "reason": "unresolved",
            "detail": "mx1.example.net: no answer from the name server", "p50_us": null, "p99_us": null,
            "availability": null, "recent_us": [], "history": {"bucket_s": 10, "since": now(), "up": []}}),
    ));
    rules.push(with(
        down("mail/in/mx2"),
        json!({"reason": "requires", "detail": "a rule it requires is down", "blame": "web/fra/lb3"}),
    ));
    rules.push(with(
        up("mail/old"),
        json!({"state": "unknown", "own": "unknown", "verdict": null, "ended": "disabled"}),
    ));
    let web = [
        ("10.2.1.251", true, "up", "web/fra/lb1"),
        ("10.2.1.252", true, "up", "web/fra/lb2"),
        ("10.2.1.253", false, "down", "web/fra/lb3"),
        ("10.2.1.254", false, "drained", "web/fra/lb7"),
        ("2001:db8::17", false, "backup stands by", "web/fra/lb9"),
    ];
    let mail = [("10.9.0.1", true, "held by min_up", "mail/in/mx2")];
    let mut broken = table("inet/filter/mail", &mail);
    broken["error"] = json!("nft: cannot open socket: Operation not permitted");
    broken["retry"] = json!(now() + 3600.0);
    broken["others"] = json!(1);
    status(rules, vec![table("web", &web), broken])
}

/// A change of a rule's state, as the log has it.
pub fn change(rule: &str, state: &str, detail: &str) -> Value {
    let (previous, level) = if state == "fail" { ("success", "warn") } else { ("fail", "info") };
    json!({"time": time(), "level": level, "thread": "main",
        "message": format!("'{rule}' run 4c9:{rule}:4 changed state to: {state}"), "event": "change", "rule": rule,
        "run": format!("4c9:{rule}:4"), "state": state, "previous": previous, "reason": "refused",
        "detail": detail, "elapsed_ms": 1.2, "streak": 2})
}

/// An event of another kind.
pub fn event(name: &str, members: Value) -> Value {
    with(json!({"time": time(), "level": "info", "thread": "main", "event": name, "message": name}), members)
}

/// Now, as the log has it; by date(1), which knows calendars.
fn time() -> String {
    let date = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.000000Z"]).output().expect("date runs");
    String::from_utf8(date.stdout).unwrap().trim_end().to_owned()
}
