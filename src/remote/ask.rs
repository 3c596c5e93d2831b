//! One request, and its answer to the end.

use super::command_line::Task;
use super::connect::Connection;
use super::render::{Renderer, Told};
use super::times;
use super::trouble::Trouble;
use super::view::View;
use super::{complain, say};
use crate::control::protocol::{Reply, Request};
use crate::reactor;

/// Text that is put together before it is printed, in bytes: an answer of ten thousand lines is no ten
/// thousand writes.
const PRINTED_MIN: usize = 32 * 1024;

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The request was carried out.
    Done,
    /// It was not.
    Refused,
}

impl Outcome {
    /// That of a line which ends an answer.
    fn of(reply: &Reply) -> Option<Self> {
        match reply {
            Reply::Done { .. } => Some(Self::Done),
            Reply::Refused { .. } => Some(Self::Refused),
            Reply::Rule(_)
            | Reply::Table(_)
            | Reply::Address(_)
            | Reply::Changed { .. }
            | Reply::Verdict(_)
            | Reply::Stats(_)
            | Reply::Missed { .. }
            | Reply::Warning { .. }
            | Reply::Other => None,
        }
    }
}

/// Asks, and prints the answer.
pub(super) fn once(task: &Task) -> Result<Outcome, Trouble> {
    let mut connection = Connection::open(&task.socket, task.silence, None)?;
    answer(&mut connection, task, &mut renderer(task), &mut print)
}

/// How this task's answer is put together.
pub(super) fn renderer(task: &Task) -> Renderer {
    Renderer::new(&task.request, task.form, View::of_stdout(|name| std::env::var(name).ok()))
}

/// Prints text, and complaints where they belong.
pub(super) fn print(told: &Told) -> Result<(), Trouble> {
    if !told.out.is_empty() {
        say(&told.out).map_err(Trouble::Output)?;
    }
    complain(&told.complaint);
    Ok(())
}

/// Asks on a connection; hands on what is to be printed, in order, until the answer has ended.
pub(super) fn answer(
    connection: &mut Connection,
    task: &Task,
    renderer: &mut Renderer,
    hand_on: &mut dyn FnMut(&Told) -> Result<(), Trouble>,
) -> Result<Outcome, Trouble> {
    connection.send(&task.request)?;
    // Each event is told at once: the next one may be long in coming.
    let printed_min =
        if matches!(task.request, Request::Events {} | Request::Run { .. }) { 0 } else { PRINTED_MIN };
    let mut told = Told::default();
    loop {
        let next = connection.line().and_then(|line| match serde_json::from_str::<Reply>(&line) {
            Ok(reply) => Ok((line, reply)),
            Err(error) => Err(connection.garbled(error.to_string())),
        });
        let (line, reply) = match next {
            Ok(next) => next,
            Err(trouble) => {
                // What has come is told before what has not.
                hand_on(&told)?;
                return Err(trouble);
            }
        };
        let outcome = Outcome::of(&reply);
        let more = renderer.take(&line, reply, times::seconds(reactor::now()));
        told.out.push_str(&more.out);
        told.complaint.push_str(&more.complaint);
        if outcome.is_some() || told.out.len() >= printed_min || !told.complaint.is_empty() {
            hand_on(&told)?;
            told = Told::default();
        }
        if let Some(outcome) = outcome {
            return Ok(outcome);
        }
    }
}
