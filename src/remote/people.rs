//! Who is who: users by their numbers, and for whom changes are made.

use nix::unistd::{Gid, Group, Uid, User};

use crate::control::protocol::BY_CHARACTERS_MAX;
use crate::line::{Harmless, is_harmful};

/// Variables that say who is behind this process: whoever became another user by sudo(8) or doas(1), and then
/// the one who logged in.
const VARIABLES: &[&str] = &["SUDO_USER", "DOAS_USER", "USER", "LOGNAME"];

/// For whom a change is made, by what the environment says; `None` when it says nothing that can be told.
pub(super) fn acting_for(environment: impl Fn(&str) -> Option<String>) -> Option<String> {
    VARIABLES.iter().find_map(|variable| {
        let name = environment(variable)?;
        let clean = name.trim().chars().filter(|c| !is_harmful(*c)).take(BY_CHARACTERS_MAX);
        Some(clean.collect::<String>()).filter(|name| !name.is_empty())
    })
}

/// A user by name, or by number when there is none.
pub(super) fn user(uid: u32) -> String {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| uid.to_string(), |user| Harmless(user.name).to_string())
}

/// A group by name, or by number when there is none.
pub(super) fn group(gid: u32) -> String {
    let found = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    found.map_or_else(|| gid.to_string(), |group| Harmless(group.name).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_became_root_is_told_before_root() {
        let of = |set: &[(&str, &str)]| {
            let set: Vec<_> = set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            acting_for(move |name| set.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone()))
        };
        assert_eq!(of(&[("USER", "root"), ("SUDO_USER", "alice")]).as_deref(), Some("alice"));
        assert_eq!(of(&[("USER", "root"), ("DOAS_USER", "bob")]).as_deref(), Some("bob"));
        assert_eq!(of(&[("LOGNAME", "carol"), ("SUDO_USER", " ")]).as_deref(), Some("carol"));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("USER", "a\x1b[31m\u{202e}\nb")]).as_deref(), Some("a[31mb"));
        assert_eq!(of(&[("USER", &"é".repeat(100))]), Some("é".repeat(BY_CHARACTERS_MAX)));
    }

    #[test]
    fn who_is_in_no_list_is_a_number() {
        assert_eq!(user(0), "root");
        assert_eq!(user(54321), "54321");
        assert_eq!(group(54321), "54321");
    }
}
