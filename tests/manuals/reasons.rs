//! Every reason that a verdict can have is explained in hfm(8), and no other.

use std::collections::BTreeSet;

use crate::page::Page;
use crate::source::{is_name, source};

/// The names that the function `name` of a source gives.
fn names(file: &str, receiver: &str) -> BTreeSet<String> {
    let text = source(file);
    let begin = format!("fn name({receiver}) -> &'static str {{");
    let body = text.split_once(&begin).expect("it names reasons").1;
    let body = body.split("\n    }\n").next().expect("its end");
    let arms = body.lines().filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
    let names: BTreeSet<String> = arms.map(str::to_owned).collect();
    assert!(names.iter().all(|name| is_name(name)), "{names:?}");
    names
}

#[test]
fn every_reason_is_explained_once_and_none_that_does_not_exist() {
    let mut known = names("verdict.rs", "&self");
    assert!(known.contains("unresolved") && known.contains("guarded"), "{known:?}");
    known.extend(names("verdict/reason.rs", "self"));
    assert!(known.contains("refused") && known.contains("always-fail") && known.len() > 30, "{known:?}");
    known.insert(hfm::verdict::Verdict::Success.reason().to_owned());

    let page = Page::read("hfm.8");
    let mut documented = BTreeSet::new();
    for item in page.items().iter().filter(|item| item.section == "REASONS") {
        assert!(item.explains(), "{} is not explained", item.head);
        for name in item.names("Cm") {
            assert!(documented.insert(name.clone()), "{name} is explained twice");
        }
    }
    let missing: Vec<&String> = known.difference(&documented).collect();
    let surplus: Vec<&String> = documented.difference(&known).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:?}, not there: {surplus:?}");
}
