//! The helper that keeps the demotion counter: started with the rights that this process gives up, and told to begin
//! once this process alone has the directory of what is remembered.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use log::Level;

use crate::demotion::helper::{self, GRACE, NotRecorded, Target};
use crate::demotion::protocol::{Lines, News, Order, Shares, encode};
use crate::demotion::record::total;
use crate::rule::Configuration;
use crate::sys::state_dir::Place;

/// How long it may take to take over from the helper before, which is given 2 s to go.
const BEGIN_MAX: Duration = Duration::from_secs(10);

/// A helper that was forked and has not begun.
#[derive(Debug)]
pub(super) enum Started {
    /// No rule has `demote`, and nothing is left of one that had.
    None,
    /// For the rules that have it.
    ToKeep(UnixStream),
    /// Only to take back what an hfm before has added, as no rule has it any more.
    ToTakeBack(UnixStream),
}

/// Forks the helper, if a rule has `demote`, or had when hfm ran last.
///
/// # Errors
/// What keeps it from being there, in words, where a rule needs it.
pub(super) fn start(
    configuration: &Configuration,
    news: &mut Vec<(Level, String)>,
) -> Result<Started, String> {
    if configuration.firewall.dry_run {
        return Ok(Started::None);
    }
    if configuration.rules.iter().all(|rule| rule.demote.is_none()) {
        let left = Target::recorded(Path::new(&*configuration.firewall.state_dir));
        let started = match left {
            None => return Ok(Started::None),
            Some(Ok(target)) => fork(target).map_err(|why| is_left(&why)),
            Some(Err(NotRecorded::Left(why))) => Err(is_left(&why)),
            Some(Err(NotRecorded::Unseen(why))) => Err(format!(
                "demotion: it cannot be seen whether an hfm before this one has demoted anything: {why}"
            )),
        };
        return Ok(started.map_or_else(
            |line| {
                news.push((Level::Warn, line));
                Started::None
            },
            Started::ToTakeBack,
        ));
    }
    let target = Target::of(&configuration.demotion);
    target.and_then(fork).map(Started::ToKeep).map_err(|why| format!("demotion: {why}"))
}

fn fork(target: Target) -> Result<UnixStream, String> {
    let helper = helper::start(target, GRACE);
    helper.map(|helper| helper.socket).map_err(|error| format!("cannot start its helper process: {error}"))
}

fn is_left(why: &str) -> String {
    format!("demotion: what an hfm before this one has added is left there: {why}")
}

impl Started {
    /// Has it begin: the socket of the one that keeps the counter, and the shares that it has taken over.
    ///
    /// # Errors
    /// Why the counter cannot be kept, in words, where a rule needs that.
    pub(super) fn begin(
        self,
        place: &Place,
        news: &mut Vec<(Level, String)>,
    ) -> Result<Option<(UnixStream, Shares)>, String> {
        match self {
            Self::None => Ok(None),
            Self::ToKeep(mut helper) => {
                let adopted = begin(&mut helper, place, news)?;
                Ok(Some((helper, adopted)))
            }
            Self::ToTakeBack(mut helper) => {
                let taken_back = begin(&mut helper, place, news).and_then(|shares| {
                    match ask(&mut helper, &Order::Release) {
                        Ok(News::Released) => Ok(total(&shares)),
                        Ok(News::Failed { why, .. }) => Err(why),
                        Ok(News::Done { .. } | News::Began { .. } | News::CannotBegin { .. }) => {
                            Err(OTHER.to_owned())
                        }
                        Err(error) => Err(silent(&error)),
                    }
                });
                news.push(match taken_back {
                    Ok(total) => {
                        let line = format!(
                            "demotion: the {total} that an hfm before this one has added are taken back, as no rule has \
                             'demote' any more"
                        );
                        (Level::Info, line)
                    }
                    Err(why) => (Level::Warn, is_left(&why)),
                });
                Ok(None)
            }
        }
    }
}

const OTHER: &str = "demotion: its helper process answers what nobody asked";

fn silent(error: &io::Error) -> String {
    format!("demotion: its helper process does not answer: {error}")
}

/// Has the helper take over what was left by the hfm before: the shares of rules.
///
/// # Errors
/// Why the counter cannot be kept, in words.
fn begin(helper: &mut UnixStream, place: &Place, news: &mut Vec<(Level, String)>) -> Result<Shares, String> {
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
        Ok(News::Done { .. } | News::Failed { .. } | News::Released) => Err(OTHER.to_owned()),
        Err(error) => Err(silent(&error)),
    }
}

/// Tells the helper something and waits for what it says.
fn ask(helper: &mut UnixStream, order: &Order) -> io::Result<News> {
    helper.set_read_timeout(Some(BEGIN_MAX))?;
    // One that has ended may have said why.
    if let Err(error) = helper.write_all(&encode(order))
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return Err(error);
    }
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
