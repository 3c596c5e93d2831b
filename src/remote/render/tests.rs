//! What people and programs are shown of answers.

mod others;
mod rules;
mod tables;

use super::*;
use crate::control::protocol::{DemotionRow, OverrideRow, StatsRow, VerdictRow};
use crate::remote::columns::width;
use crate::remote::times::Moment;
use crate::remote::view::{Colour, Size};

const NOW: f64 = 1_000_000_000.0;
const PIPE: View = View { terminal: None, colour: Colour::Off };

fn terminal(columns: usize) -> View {
    View { terminal: Some(Size { columns, rows: 24 }), colour: Colour::Off }
}

fn row(name: &str) -> RuleRow {
    RuleRow {
        rule: name.to_owned(),
        state: "success".to_owned(),
        own: "success".to_owned(),
        since: Some(NOW - 7500.0),
        verdict: Some("success".to_owned()),
        reason: Some("ok".to_owned()),
        detail: None,
        blame: None,
        p50_us: Some(214),
        p99_us: Some(1290),
        availability: Some(99.987),
        runs: 10_000,
        failures: 2,
        inconclusive: 1,
        missed: 0,
        next: Some(NOW + 0.4),
        running: false,
        stale: false,
        ended: None,
        set: None,
    }
}

fn down(name: &str) -> RuleRow {
    RuleRow {
        state: "fail".to_owned(),
        own: "fail".to_owned(),
        since: Some(NOW - 12.0),
        verdict: Some("failure".to_owned()),
        reason: Some("timeout-connect".to_owned()),
        detail: Some("no connection within 300ms".to_owned()),
        running: true,
        ..row(name)
    }
}

fn set(kind: &str, reason: Option<&str>, until: Option<f64>) -> Option<OverrideRow> {
    Some(OverrideRow {
        kind: kind.to_owned(),
        reason: reason.map(str::to_owned),
        uid: 0,
        by: Some("alice".to_owned()),
        since: NOW - 600.0,
        until,
    })
}

/// What the lines of an answer come to, on stdout and stderr.
fn answer(request: &Request, view: View, replies: &[Reply]) -> (String, String) {
    let mut renderer = Renderer::new(request, Form::Text, view);
    let (mut out, mut complaint) = (String::new(), String::new());
    for reply in replies {
        let line = serde_json::to_string(reply).unwrap();
        let told = renderer.take(&line, serde_json::from_str(&line).unwrap(), NOW);
        out.push_str(&told.out);
        complaint.push_str(&told.complaint);
    }
    (out, complaint)
}

fn status(rules: Option<&str>, view: View, rows: &[RuleRow]) -> String {
    let mut replies: Vec<_> = rows.iter().map(|row| Reply::Rule(Box::new(row.clone()))).collect();
    replies.push(Reply::Done { text: "so many rules".to_owned() });
    let (out, complaint) = answer(&Request::Status { rules: rules.map(str::to_owned) }, view, &replies);
    assert_eq!(complaint, "");
    out
}
