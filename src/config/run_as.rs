//! Whom the program is to run as, and what of the rest of the file that user could not do.

use super::diagnose::{Diagnostic, Problems, Wrong};
use super::given::{Given, Text};
use super::properties::{Key, Setting};
use super::raw::{ROOT, Tree};
use super::render::{self, quoted};
use super::settings::name_of;
use crate::rule::{DataPlaneChoice, Firewall, RunAs, Table};
use crate::ucl::{Sources, Span};

/// Longest name, in bytes; systems have much less (Linux: 32, FreeBSD: 32).
const NAME_BYTES_MAX: usize = 255;

/// What stands in no name: it separates fields and members in passwd(5) and group(5), or is a path.
const NOT_IN_NAMES: &str = ":,/";

/// Where `user` and `group` stand, as `FILE:LINE:COLUMN`, for whoever looks them up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunAsPlaces {
    /// Of `user`.
    pub user: Option<String>,
    /// Of `group`.
    pub group: Option<String>,
}

/// Judges one of the two by itself. Whether there is such a user or group is another matter.
pub(super) fn judge(name: &str, text: &str) -> Result<(), Wrong> {
    if text.is_empty() {
        let help = "give a name or a number, or leave it out";
        return Err(Wrong::new(format!("'{name}' is empty")).help(help));
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(Wrong::new(format!("'{name}' is longer than {NAME_BYTES_MAX} bytes")));
    }
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || NOT_IN_NAMES.contains(c);
    if let Some(odd) = text.chars().find(|c| is_odd(*c)) {
        let message = format!("'{name}' {} has {} in it", quoted(text), quoted(&odd.to_string()));
        return Err(Wrong::new(message).help("give one name or one number"));
    }
    // The last number means "as it is" to setresuid(2).
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && !text.parse::<u32>().is_ok_and(|number| number != u32::MAX) {
        let message = format!("'{name}' {} is no number of a {name}", quoted(text));
        return Err(Wrong::new(message).help(format!("they go from 0 to {}", u32::MAX - 1)));
    }
    Ok(())
}

/// What is written, and what of the file does not go with it.
pub(super) fn resolve(tree: &Tree, firewall: &Firewall, tables: &[Table], problems: &mut Problems) -> RunAs {
    let text = |setting| written(tree, setting).map(|text| text.text.clone());
    let run_as = RunAs { user: text(Setting::User), group: text(Setting::Group) };
    if let Some(user) = written(tree, Setting::User).filter(|user| !is_root(&user.text)) {
        refuse_pfctl(tree, user, firewall, tables, problems);
        warn_of_commands(tree, user, problems);
    }
    run_as
}

/// Where the two are written.
pub(super) fn places(tree: &Tree, sources: &Sources) -> RunAsPlaces {
    let place = |setting| written(tree, setting).map(|text| render::place(sources, text.span));
    RunAsPlaces { user: place(Setting::User), group: place(Setting::Group) }
}

fn written(tree: &Tree, setting: Setting) -> Option<&Text> {
    match &tree.nodes.get(ROOT)?.settings.given.get(&setting)?.value {
        Given::Text(text) => Some(text),
        Given::Word(_) | Given::Texts(_) | Given::Interval(_) | Given::Number(_) | Given::Boolean(_) => None,
    }
}

/// Whether a user is the one that may everything; nothing is looked up for that.
fn is_root(user: &str) -> bool {
    user == "root" || user.parse() == Ok(0)
}

fn refuse_pfctl(tree: &Tree, user: &Text, firewall: &Firewall, tables: &[Table], problems: &mut Problems) {
    let is_pfctl = firewall.dataplane == DataPlaneChoice::Pfctl;
    if !is_pfctl || tables.is_empty() {
        return;
    }
    let message = "'user' does not go with tables that are kept by pfctl: a program run by an unprivileged user \
                   cannot open /dev/pf";
    let help = "write dataplane = pf, which opens /dev/pf before it gives up root, or leave 'user' out";
    let mut error = Diagnostic::error(user.span, &tree.nodes[ROOT].name, message);
    if let Some(plane) = tree.nodes[ROOT].settings.place(Key::Setting(Setting::DataPlane)) {
        error = error.note(plane, "'dataplane' is here");
    }
    problems.push(error.help(help));
}

fn warn_of_commands(tree: &Tree, user: &Text, problems: &mut Problems) {
    let first = tree.rules.iter().find_map(|id| {
        let settings = &tree.nodes[*id].settings;
        let commands: [(Key, &Option<_>); 2] =
            [(Key::ChangeSuccess, &settings.change_success), (Key::ChangeFail, &settings.change_fail)];
        let mut commands = commands.into_iter().filter_map(|(key, written)| Some((key, written.as_ref()?)));
        let place: Option<(Key, Span)> =
            commands.find(|(_, written)| !written.value.is_empty()).map(|(key, written)| (key, written.key));
        place
    });
    let Some((key, place)) = first else {
        return;
    };
    let message = format!("change commands run as {} too, not as root", quoted(&user.text));
    let warning = Diagnostic::warning(user.span, &tree.nodes[ROOT].name, message)
        .note(place, format!("the first '{}' is here", name_of(key)))
        .help(
            "see that they need no more rights than that user has; pfctl, ipfw, nft, ifconfig and service do",
        );
    problems.push(warning);
}
