//! Names of pf's tables, for both ways of reaching it: `table` or `anchor/path/table`.

use crate::dataplane::TableError;
use crate::sys::pf::{ANCHOR_SIZE, TABLE_NAME_SIZE};

/// Bytes of a table's name at most.
const TABLE_BYTES_MAX: usize = TABLE_NAME_SIZE - 1;
/// Bytes of an anchor's path at most.
const ANCHOR_BYTES_MAX: usize = ANCHOR_SIZE - 1;
/// The anchor that pf keeps for itself (PF_RESERVED_ANCHOR).
const RESERVED_ANCHOR: &str = "_pf";

/// The anchor and the table that a name stands for. A slash at the front means nothing, as in pf.
pub(in crate::dataplane) fn split(name: &str) -> Result<(Option<&str>, &str), TableError> {
    let stripped = name.strip_prefix('/').unwrap_or(name);
    let (anchor, table) = match stripped.rsplit_once('/') {
        Some((anchor, table)) => (Some(anchor), table),
        None => (None, stripped),
    };
    let wrong = |what: &str| Err(TableError::Syntax(format!("the name {name:?} {what}")));
    if name.contains('\0') {
        return wrong("holds a NUL");
    }
    if table.is_empty() || table.len() > TABLE_BYTES_MAX {
        return wrong(&format!("does not end in a table's name of 1 to {TABLE_BYTES_MAX} bytes"));
    }
    match anchor {
        None => Ok((None, table)),
        Some(anchor) if anchor.is_empty() || anchor.len() > ANCHOR_BYTES_MAX => {
            wrong(&format!("does not begin with an anchor of 1 to {ANCHOR_BYTES_MAX} bytes"))
        }
        // pfctl takes it as a wish to go through all anchors below.
        Some(anchor) if anchor.ends_with('*') => wrong("has an anchor that ends in '*'"),
        Some(RESERVED_ANCHOR) => wrong("has the anchor that pf keeps for itself"),
        Some(anchor) => Ok((Some(anchor), table)),
    }
}

/// What has to be in pf.conf for there to be this table.
pub(in crate::dataplane) fn how_to_make(name: &str) -> String {
    match split(name) {
        Ok((Some(anchor), table)) => {
            format!("write 'table <{table}> persist' into the rules of the anchor \"{anchor}\"")
        }
        Ok((None, table)) => format!("write 'table <{table}> persist' into pf.conf"),
        // It was refused with the reason before anything was looked for.
        Err(_) => "give it another name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_at_its_last_slash() {
        assert_eq!(split("web"), Ok((None, "web")));
        assert_eq!(split("/web"), Ok((None, "web")));
        assert_eq!(split("ftp-proxy/web"), Ok((Some("ftp-proxy"), "web")));
        assert_eq!(split("/a/b c/web"), Ok((Some("a/b c"), "web")));
        assert_eq!(split("_pf/x/web"), Ok((Some("_pf/x"), "web")), "only pf's own, not what is below it");
        assert_eq!(split(&format!("a/{}", "t".repeat(31))), Ok((Some("a"), "t".repeat(31).as_str())));
        let deep = format!("{}/t", "a".repeat(1023));
        assert_eq!(split(&deep), Ok((Some(&deep[..1023]), "t")));
    }

    #[test]
    fn a_name_that_pf_cannot_have_is_not_tried() {
        let long = format!("a/{}", "t".repeat(32));
        let deep = format!("{}/t", "a".repeat(1024));
        for name in ["", "/", "a/", "//web", "a/*/web", "*/web", "we\0b", "_pf/web", "/_pf/web", &long, &deep]
        {
            assert!(matches!(split(name), Err(TableError::Syntax(_))), "{name:?}: {:?}", split(name));
        }
    }

    #[test]
    fn what_is_missing_is_written_where_it_belongs() {
        assert_eq!(how_to_make("/web"), "write 'table <web> persist' into pf.conf");
        let in_anchor = "write 'table <web> persist' into the rules of the anchor \"lb/inner\"";
        assert_eq!(how_to_make("lb/inner/web"), in_anchor);
        assert_eq!(how_to_make("_pf/web"), "give it another name");
    }
}
