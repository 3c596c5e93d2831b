//! The helper that keeps the demotion counter: started with the rights that this process gives up, and told to begin
//! once this process alone has the directory of what is remembered.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use log::Level;

use crate::demotion::helper::{self, GRACE, Target};
use crate::demotion::protocol::{Lines, News, Order, Shares, encode};
use crate::rule::Configuration;
use crate::sys::state_dir::Place;

/// How long it may take to take over from the helper before, which is given 2 s to go.
const BEGIN_MAX: Duration = Duration::from_secs(10);

/// Forks the helper, if a rule has `demote`.
///
/// # Errors
/// What keeps it from being there, in words.
pub(super) fn start(configuration: &Configuration) -> Result<Option<UnixStream>, String> {
    let demotes = configuration.rules.iter().any(|rule| rule.demote.is_some());
    if !demotes || configuration.firewall.dry_run {
        return Ok(None);
    }
    let target = Target::of(&configuration.demotion).map_err(|why| format!("demotion: {why}"))?;
    match helper::start(target, GRACE) {
        Ok(helper) => Ok(Some(helper.socket)),
        Err(error) => Err(format!("demotion: cannot start its helper process: {error}")),
    }
}

/// Has the helper take over what was left by the hfm before: the shares of rules.
///
/// # Errors
/// Why the counter cannot be kept, in words.
pub(super) fn begin(
    helper: &mut UnixStream,
    place: &Place,
    news: &mut Vec<(Level, String)>,
) -> Result<Shares, String> {
    let dir = place.as_ref().map_err(|why| {
        format!("'demote' needs a state_dir, or what was added could not be taken back after a crash: {why}")
    })?;
    let order = Order::Begin { state_dir: dir.path().to_string_lossy().into_owned() };
    match ask(helper, &order) {
        Ok(News::Began { shares, remarks }) => {
            news.extend(remarks.into_iter().map(|line| (Level::Warn, format!("demotion: {line}"))));
            Ok(shares)
        }
        Ok(News::CannotBegin { why }) => Err(format!("demotion: {why}")),
        Ok(News::Done { .. } | News::Failed { .. } | News::Released) => {
            Err("demotion: its helper process answers what nobody asked".to_owned())
        }
        Err(error) => Err(format!("demotion: its helper process does not answer: {error}")),
    }
}

/// Tells the helper something and waits for what it says.
fn ask(helper: &mut UnixStream, order: &Order) -> io::Result<News> {
    helper.set_read_timeout(Some(BEGIN_MAX))?;
    helper.write_all(&encode(order))?;
    let (mut lines, mut buffer) = (Lines::default(), [0; 4096]);
    loop {
        match lines.poll_message() {
            Ok(Some(news)) => return Ok(news),
            Ok(None) => match helper.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => lines.push(&buffer[..count]),
            },
            Err(malformed) => return Err(io::Error::new(io::ErrorKind::InvalidData, malformed)),
        }
    }
}
