//! Real time, in which real programs are watched.

use std::time::{Duration, Instant};

/// How long anything may take before it is given up; far more than it should.
const PATIENCE: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "real programs are watched in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "real programs are watched in real time")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Asks again and again until it is so, or patience is at its end.
pub(crate) fn patiently(mut is_so: impl FnMut() -> bool) -> bool {
    let until = now() + PATIENCE;
    while now() < until {
        if is_so() {
            return true;
        }
        pause(Duration::from_millis(10));
    }
    is_so()
}
