//! What an answer takes that is made anew, with nobody else there.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use nix::unistd::Pid;
use serde_json::Value;

use super::figures;
use super::http::Client;

/// For longer than an answer is given to others too.
const PAUSE: Duration = Duration::from_millis(600);

/// The figures of one address.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) path: &'static str,
    pub(crate) count: usize,
    pub(crate) bytes: usize,
    /// From the request to the last byte, in milliseconds: p50, p99 and the most.
    pub(crate) took_ms: [f64; 3],
    /// How much of the time the loop could have run and did not.
    pub(crate) waited_percent: f64,
}

/// Asks so many times for each; what is not right goes there.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn measure(pid: Pid, count: usize, rules: usize, wrong: &mut Vec<String>) -> Vec<Line> {
    let mut client = Client::connect().expect("a connection");
    let mut line = |path: &'static str| {
        let mut took = Histogram::<u64>::new(3).expect("three digits");
        let mut bytes = 0;
        let mut body = Vec::new();
        let (begun, [_, waited]) = (Instant::now(), figures::schedule(pid));
        for _ in 0..count {
            sleep(PAUSE);
            body.clear();
            let answer = client.get(path, |part| body.extend_from_slice(part)).expect("an answer");
            if answer.status != 200 {
                wrong.push(format!("{path}: status {}", answer.status));
            }
            took.record(u64::try_from(answer.took.as_micros()).expect("a short time"))
                .expect("it grows by itself");
            bytes = answer.bytes;
        }
        let waited = figures::schedule(pid)[1] - waited;
        let waited_percent = waited as f64 / begun.elapsed().as_nanos() as f64 * 1e2;
        wrong.extend(judge(path, &body, rules));
        let quantiles = [0.5, 0.99, 1.0].map(|quantile| took.value_at_quantile(quantile) as f64 / 1e3);
        Line { path, count, bytes, took_ms: quantiles, waited_percent }
    };
    vec![line("/metrics"), line("/api/v1/status"), line("/")]
}

/// Whether the whole answer tells of all rules.
fn judge(path: &str, body: &[u8], rules: usize) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let told = match path {
        "/metrics" => text.lines().filter(|line| line.starts_with("hfm_rule_up{")).count(),
        "/api/v1/status" => {
            serde_json::from_str::<Value>(&text).ok()?["rules"].as_array().map_or(0, Vec::len)
        }
        _ if text.trim_end().ends_with("</html>") => rules,
        _ => 0,
    };
    (told != rules).then(|| format!("{path}: tells of {told} rules, not of {rules}"))
}
