//! What is demoted, and by how much each rule: the values, judged, and whether this system has what they need.

use std::collections::HashSet;
use std::num::NonZeroU8;
use std::path::Path;

use super::diagnose::{Diagnostic, Problems, Wrong};
use super::given::{Given, Text};
use super::properties::{Key, Setting};
use super::raw::{NodeId, ROOT, Tree};
use super::render::{clipped, quoted};
use crate::nearest::nearest;
use crate::rule::{Demotion, Firewall};

/// Whether this system has CARP.
pub(super) const HAS_CARP: bool = cfg!(target_os = "freebsd");

/// What stands before the path of a file.
const FILE: &str = "file:";

/// What to write for a file.
const FILE_HELP: &str = "write file: and the whole path of a file, as in demotion = \"file:/run/hfm/demotion\"; \
                         keepalived's track_file reads it";

/// Reads `demotion`.
pub(super) fn demotion(text: &str) -> Result<Demotion, Wrong> {
    if text.eq_ignore_ascii_case("carp") {
        return Ok(Demotion::Carp);
    }
    let Some(path) = text.strip_prefix(FILE) else {
        return Err(unknown(text));
    };
    let message = match path {
        "" => "'demotion' names no file".to_owned(),
        _ if path.contains(char::is_control) => "'demotion' has a control character in it".to_owned(),
        _ if !path.starts_with('/') => format!("the file of 'demotion', {}, is not absolute", quoted(path)),
        _ if is_directory(path) => format!("the file of 'demotion', {}, is a directory", quoted(path)),
        _ => return Ok(Demotion::File(path.into())),
    };
    Err(Wrong::new(message).help(FILE_HELP))
}

/// Whether a path can name nothing but a directory.
fn is_directory(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("" | "." | ".."))
}

/// Neither CARP nor a file: says what it looks like.
fn unknown(text: &str) -> Wrong {
    let wrong = match text {
        "" => Wrong::new("'demotion' is empty"),
        _ => Wrong::new(format!("unknown demotion {}", quoted(text))),
    };
    let (word, rest) = text.split_once(':').unwrap_or((text, ""));
    wrong.help(match nearest(word, ["carp", "file"]) {
        _ if text.starts_with('/') => format!("for a file write {FILE}{}", clipped(text)),
        Some("file") if rest.starts_with('/') => format!("did you mean '{FILE}{}'?", clipped(rest)),
        Some("carp") => "did you mean 'carp'?".to_owned(),
        Some(_) | None => "it is carp, or file:PATH, a file that keepalived's track_file reads".to_owned(),
    })
}

/// What is written, or the default; and what of it does not go with the rest of the file, or with this system.
pub(super) fn resolve(tree: &Tree, firewall: &Firewall, has_carp: bool, problems: &mut Problems) -> Demotion {
    let Some(root) = tree.nodes.get(ROOT) else {
        return Demotion::default();
    };
    let written = written(tree);
    let demotion = written.and_then(|text| demotion(&text.text).ok()).unwrap_or_default();
    if let (Demotion::File(path), Some(text)) = (&demotion, written) {
        refuse_own_directory(tree, (path, text), firewall, problems);
    }
    // One that was refused was to be something else, of which enough has been said.
    let is_refused = root.settings.refused.contains(&Key::Setting(Setting::Demotion));
    if demotion == Demotion::Carp && !has_carp && !is_refused {
        refuse_carp(tree, written, problems);
    }
    demotion
}

/// What a rule adds while it is failed.
pub(super) fn share(tree: &Tree, id: NodeId) -> Option<NonZeroU8> {
    match tree.given(id, Setting::Demote)?.value {
        // The table bounds it.
        Given::Number(share) => u8::try_from(share).ok().and_then(NonZeroU8::new),
        Given::Word(_) | Given::Text(_) | Given::Texts(_) | Given::Interval(_) | Given::Boolean(_) => None,
    }
}

fn written(tree: &Tree) -> Option<&Text> {
    match &tree.nodes.get(ROOT)?.settings.given.get(&Setting::Demotion)?.value {
        Given::Text(text) => Some(text),
        Given::Word(_) | Given::Texts(_) | Given::Interval(_) | Given::Number(_) | Given::Boolean(_) => None,
    }
}

/// Refuses each `demote` that counts for a rule where there is nothing to add it to.
fn refuse_carp(tree: &Tree, written: Option<&Text>, problems: &mut Problems) {
    let mut said: HashSet<NodeId> = HashSet::new();
    for id in tree.rules.iter().filter(|id| share(tree, **id).is_some()) {
        let owner = tree.ids_up(*id).find_map(|id| {
            let written = tree.nodes[id].settings.given.get(&Setting::Demote)?;
            Some((id, written.key))
        });
        let Some((owner, place)) = owner.filter(|(owner, _)| said.insert(*owner)) else {
            continue;
        };
        let message = "'demote' needs CARP, and this system has none";
        let mut error = Diagnostic::error(place, &tree.nodes[owner].name, message);
        if let Some(text) = written {
            error = error.note(text.span, "'demotion' is here");
        }
        problems.push(error.help(
            "write demotion = \"file:PATH\" at the root, as in demotion = \"file:/run/hfm/demotion\": keepalived's \
             track_file reads such a file",
        ));
    }
}

/// Refuses a file in the directory of what is remembered: one of hfm's own might have its name.
fn refuse_own_directory(
    tree: &Tree,
    (path, text): (&str, &Text),
    firewall: &Firewall,
    problems: &mut Problems,
) {
    if Path::new(path).parent() != Some(Path::new(&*firewall.state_dir)) {
        return;
    }
    let message = format!(
        "the file of 'demotion' is in 'state_dir', {}, where hfm keeps files of its own",
        quoted(&firewall.state_dir)
    );
    let mut error = Diagnostic::error(text.span, &tree.nodes[ROOT].name, message);
    if let Some(place) = tree.nodes[ROOT].settings.place(Key::Setting(Setting::StateDir)) {
        error = error.note(place, "'state_dir' is here");
    }
    problems.push(error.help("put it into another directory, as in demotion = \"file:/run/hfm/demotion\""));
}

#[cfg(test)]
mod tests;
