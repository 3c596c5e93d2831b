//! From a configuration to a process that may run it: descriptors, the control socket, the user, and what will
//! not work then.
//!
//! All of it comes before the first thread, the log's included: what is to be said is handed back.

mod demotion;
mod state_dir;

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use log::Level;

use crate::config::{Loaded, Reads};
use crate::dataplane::{self, DataPlane, TableError};
use crate::demotion::protocol::Shares;
use crate::reactor::{Descriptors, Needs, Opened, ports};
use crate::rule::{Configuration, Control, Network, Rule, RunAs, Test};
use crate::sys::control_socket::{BindError, ControlSocket};
use crate::sys::files::{self, FileLoader};
use crate::sys::identity::{self, Identity};
use crate::sys::listener;
use crate::sys::notify::Manager;
use crate::sys::privilege::{self, Rights};
use crate::sys::socket::{self, Options};
use crate::sys::state_dir::Place;
use crate::ucl::Loader;
use crate::writer;
use state_dir::Remembering;

/// Operators can set overrides, which are remembered where that is possible.
const OVERRIDES: bool = true;
/// How often, and after what pause, it is tried again to get what another process holds: one second.
const HELD_TRIES: u32 = 100;
const HELD_PAUSE: Duration = Duration::from_millis(10);
/// Files that cannot be read, named one by one at most.
const FILES_NAMED_MAX: usize = 20;

/// What came of it.
#[derive(Debug)]
pub struct Prepared {
    /// Lines for the log.
    pub news: Vec<(Level, String)>,
    /// The control socket, if there is to be one and can be.
    pub control: Option<ControlSocket>,
    /// What holds the tables, if there are any.
    pub plane: Option<Box<dyn DataPlane>>,
    /// What listens for clients of the status page, or why nothing does, if it is to be served.
    pub status: Option<Opened>,
    /// What keeps the demotion counter, and the shares that it has taken over, if a rule is to have one.
    pub helper: Option<(UnixStream, Shares)>,
    /// The service manager that started this process, if one did and wants to hear of it.
    pub manager: Option<Manager>,
    /// Where things are remembered; or why the process cannot run, if it cannot.
    pub outcome: Result<Place, String>,
}

/// Raises the limit on descriptors, counts local ports, makes the control socket and the directory of what is remembered, then becomes
/// the user that the configuration names. To be called once, before any thread is started.
pub fn prepare(loaded: &Loaded) -> Prepared {
    let configuration = &loaded.configuration;
    let mut news = Vec::new();
    let manager = Manager::take().unwrap_or_else(|error| {
        news.push((Level::Warn, format!("NOTIFY_SOCKET: {error}; the service manager hears nothing")));
        None
    });
    let descriptors = Descriptors::of(&configuration.rules, configuration.change_max);
    news.extend(descriptors.serving(configuration.listen).raise());
    news.extend(ports::told(&configuration.rules).map(|line| (Level::Warn, line)));
    let remembering = Remembering::of(&configuration.firewall, &configuration.tables, OVERRIDES);
    let mut control = None;
    let (mut plane, mut helper, mut status) = (None, None, None);
    let identity = match &loaded.elsewhere {
        Some(why) => Err(why.clone()),
        None => look_up(loaded),
    };
    let outcome = identity.and_then(|identity| {
        // What only root may make.
        control = open_control(loaded, &identity, &mut news)?;
        plane = open_plane(configuration, &identity, &mut news)?;
        // What cannot be had is told by who tries it again.
        status = configuration.listen.map(open_status);
        let made = remembering.make(&identity);
        // It keeps the rights that are given up here, and has nothing of what is opened behind it.
        let started = demotion::start(configuration, &mut news)?;
        become_user(loaded, &identity, &mut news)?;
        let place = remembering.open(made, &mut news);
        helper = started.begin(&place, &mut news)?;
        Ok(place)
    });
    if outcome.is_ok() {
        let rules = &configuration.rules;
        news.extend(forbidden(rules, socket::permits).into_iter().map(|line| (Level::Warn, line)));
    }
    Prepared { news, control, plane, status, helper, manager, outcome }
}

/// Tries again for a while what another process holds.
///
/// A child of an hfm that was killed has all that it had, until it becomes the program that it is to run: on a busy
/// machine the next hfm may be there before.
#[expect(clippy::disallowed_methods, reason = "nothing runs yet that could be kept waiting")]
fn patiently<T, E>(mut attempt: impl FnMut() -> Result<T, E>, is_held: impl Fn(&E) -> bool) -> Result<T, E> {
    for _ in 0..HELD_TRIES {
        match attempt() {
            Err(error) if is_held(&error) => std::thread::sleep(HELD_PAUSE),
            outcome => return outcome,
        }
    }
    attempt()
}

/// Whom the process is to become.
fn look_up(loaded: &Loaded) -> Result<Identity, String> {
    let RunAs { user, group } = &loaded.configuration.run_as;
    identity::look_up(user.as_deref(), group.as_deref()).map_err(|error| {
        let Asked { place, what, name } = Asked::of(loaded, error.is_of_group());
        format!("{place}: {what} '{name}': {error}")
    })
}

/// Makes the control socket, for whom the process is to become. One that nobody asked for is done without.
fn open_control(
    loaded: &Loaded,
    owner: &Identity,
    news: &mut Vec<(Level, String)>,
) -> Result<Option<ControlSocket>, String> {
    let Control { path, is_default } = &loaded.configuration.control;
    let Some(path) = path.as_deref() else { return Ok(None) };
    let bind = || ControlSocket::bind(Path::new(path), owner);
    match patiently(bind, |error| matches!(error, BindError::InUse)) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if *is_default => {
            let line = format!(
                "control socket {path}: {error}; going on without it (control = \"\" in the file says so on purpose)"
            );
            news.push((Level::Warn, line));
            Ok(None)
        }
        Err(error) => {
            let place = loaded.control_place.as_deref().unwrap_or_default();
            Err(format!("{place}: control socket {path}: {error}"))
        }
    }
}

/// Listens for clients of the status page.
fn open_status(address: SocketAddr) -> Opened {
    let is_held = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
    Opened { address, listener: patiently(|| listener::listen(address), is_held) }
}

/// Opens what holds the tables, if there are any, while that is permitted. What cannot heal refuses the start.
fn open_plane(
    configuration: &Configuration,
    identity: &Identity,
    news: &mut Vec<(Level, String)>,
) -> Result<Option<Box<dyn DataPlane>>, String> {
    if configuration.tables.is_empty() {
        return Ok(None);
    }
    let mut plane = dataplane::choose(&configuration.firewall, writer::now);
    if let Err(error) = plane.open() {
        let name = plane.name();
        if matches!(error, TableError::NotPermitted(_)) {
            return Err(format!("dataplane {name}: {error}"));
        }
        // Netlink asks for a right that the writer keeps; a device for its owner's.
        let is_lost = Needs::of(configuration).writer == Rights::NONE;
        if is_lost && !identity.changes_nothing() {
            let later = "it could not be opened later, when root was given up for 'user'";
            return Err(format!("dataplane {name}: {error}; {later}"));
        }
        let line = format!("dataplane {name}: {error}; tables stay as they are, it is tried again and again");
        news.push((Level::Warn, line));
    }
    Ok(Some(plane))
}

fn become_user(loaded: &Loaded, identity: &Identity, news: &mut Vec<(Level, String)>) -> Result<(), String> {
    if identity.changes_nothing() {
        return Ok(());
    }
    let rights = Needs::of(&loaded.configuration).of_any();
    privilege::become_user(identity, rights).map_err(|error| {
        let Asked { place, name, .. } = Asked::of(loaded, error.is_of_group());
        format!("{place}: cannot become '{name}': {error}")
    })?;
    news.push((Level::Info, format!("runs as {identity}")));
    if let Some(user) = &loaded.configuration.run_as.user {
        news.extend(lost_to(user, &loaded.reads).into_iter().map(|line| (Level::Warn, line)));
    }
    Ok(())
}

/// What the file asks for, and where.
struct Asked<'a> {
    place: &'a str,
    what: &'static str,
    name: &'a str,
}

impl<'a> Asked<'a> {
    /// The group, or the user; what is there of the two.
    fn of(loaded: &'a Loaded, group_first: bool) -> Self {
        let (run_as, places) = (&loaded.configuration.run_as, &loaded.run_as_places);
        let user = ("user", &run_as.user, &places.user);
        let group = ("group", &run_as.group, &places.group);
        let order = if group_first { [group, user] } else { [user, group] };
        let (what, name, place) = order.into_iter().find(|(_, name, _)| name.is_some()).unwrap_or(user);
        Self { place: place.as_deref().unwrap_or(""), what, name: name.as_deref().unwrap_or("") }
    }
}

/// What of all that was read this user, who this process is now, could not read again.
///
/// It is no error: what was read is in use, a reload that fails changes nothing, and a machine that comes up
/// after a failure must test its hosts.
fn lost_to(user: &str, reads: &Reads) -> Vec<String> {
    let refused = |file: &String| files::check_readable(file).err().map(|error| (file.clone(), error));
    let lost: Vec<_> = reads.files.iter().filter_map(refused).collect();
    let rest = lost.len().saturating_sub(FILES_NAMED_MAX);
    let mut lines: Vec<String> = lost
        .into_iter()
        .take(FILES_NAMED_MAX)
        .map(|(file, error)| {
            format!("{file}: user '{user}' cannot read it: {error}; a reload will fail until that user can")
        })
        .collect();
    if rest > 0 {
        lines.push(format!("user '{user}' cannot read {rest} more files; a reload will fail"));
    }
    for (pattern, matches) in &reads.patterns {
        let found = FileLoader.glob(pattern).unwrap_or_default();
        let missing = matches.iter().filter(|file| !found.contains(file)).count();
        if missing > 0 {
            let all = matches.len();
            lines.push(format!(
                "{pattern}: user '{user}' does not find {missing} of the {all} files that match it; a reload would \
                 lose what they say until that user can read their directory"
            ));
        }
    }
    lines
}

/// What rules ask for that this process may not do.
fn forbidden(rules: &[Rule], permits: impl Fn(&Options<'_>) -> bool) -> Vec<String> {
    let count = |uses: fn(&Network) -> bool| {
        let networks = rules.iter().filter_map(|rule| match &rule.test {
            Test::Command { .. } => None,
            Test::Probe(probe) => Some(&probe.network),
        });
        networks.filter(|network| uses(network)).count()
    };
    let asked = [
        // Any mark and any device need the same.
        (
            "mark",
            "CAP_NET_ADMIN",
            count(|of| of.mark.is_some()),
            Options { mark: Some(0), ..Options::default() },
        ),
        (
            "interface",
            "CAP_NET_RAW",
            count(|of| of.interface.is_some()),
            Options { interface: Some("lo"), ..Options::default() },
        ),
    ];
    let mut lines = Vec::new();
    for (property, right, rules, options) in asked {
        if rules > 0 && !permits(&options) {
            lines.push(format!(
                "'{property}' needs {right}, which this process does not have: runs of the rules that use it will be \
                 inconclusive (permission); start it as root (with 'user' it keeps no more than that), or give it \
                 that capability rules={rules}"
            ));
        }
    }
    lines
}
