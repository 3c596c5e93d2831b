use super::*;
use crate::config::raw;
use crate::ucl::{self, Loader};

/// One file, without any other.
struct One<'a>(&'a str);

impl Loader for One<'_> {
    fn read(&mut self, _path: &str) -> std::io::Result<Vec<u8>> {
        Ok(self.0.into())
    }

    fn resolve(&mut self, path: &str) -> std::io::Result<String> {
        Ok(path.to_owned())
    }

    fn glob(&mut self, _pattern: &str) -> std::io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// What is demoted by this file where there is CARP, or where there is none, and what is said of it.
fn judged(text: &str, has_carp: bool) -> (Demotion, Vec<String>) {
    let document = ucl::read("hfm.conf", &mut One(text)).expect("it is UCL");
    let mut problems = Problems::default();
    let tree = raw::collect(&document.sources, &document.root, &mut problems);
    let demotion = resolve(&tree, &Firewall::default(), has_carp, &mut problems);
    (demotion, problems.into_report(document.sources).headlines().collect())
}

#[test]
fn carp_is_demoted_where_there_is_carp_and_refused_where_there_is_none() {
    for text in ["a { test = x; demote = 1 }", "demotion = carp\na { test = x; demote = 1 }"] {
        assert_eq!(judged(text, true), (Demotion::Carp, Vec::new()), "{text}");
        let (_, said) = judged(text, false);
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        assert!(said[0].contains("a: 'demote' needs CARP"), "{said:?}");
    }
}

#[test]
fn a_file_is_demoted_on_every_system() {
    let text = "demotion = \"file:/run/d\"\na { test = x; demote = 240 }";
    for has_carp in [true, false] {
        assert_eq!(judged(text, has_carp), (Demotion::File("/run/d".into()), Vec::new()));
    }
}

#[test]
fn without_a_share_nothing_is_said_of_carp() {
    for text in
        ["a { test = x }", "demotion = carp\na { test = x }", "demote = 5\na { test = x; demote = 0 }"]
    {
        assert_eq!(judged(text, false), (Demotion::Carp, Vec::new()), "{text}");
    }
}

#[test]
fn what_many_inherit_is_refused_once_where_it_is_written() {
    let text = "demote = 5\na { test = x }\nb { test = x }\nc { demote = 6; d { test = x } e { test = x } }";
    let (_, said) = judged(text, false);
    let places: Vec<&str> = said.iter().filter_map(|line| line.split(" '").next()).collect();
    assert_eq!(places, ["hfm.conf:1:1: default:", "hfm.conf:4:5: c:"]);
}

#[test]
fn of_a_refused_demotion_no_more_is_said() {
    let (_, said) = judged("demotion = \"file:run\"\na { test = x; demote = 1 }", false);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("is not absolute"), "{said:?}");
}

#[test]
fn a_file_in_the_state_dir_is_refused_however_it_is_written() {
    for (path, is_refused) in
        [("demotion", true), ("x", true), ("/x", true), ("./x", true), ("x/y", false), ("../x", false)]
    {
        let state_dir = Firewall::default().state_dir;
        let text = format!("demotion = \"file:{state_dir}/{path}\"\na {{ test = x }}");
        let (_, said) = judged(&text, false);
        assert_eq!(
            said.iter().any(|line| line.contains("keeps files of its own")),
            is_refused,
            "{text}: {said:?}"
        );
    }
}

#[test]
fn demotion_is_carp_or_the_whole_path_of_a_file() {
    for (text, meant) in [
        ("carp", Demotion::Carp),
        ("CARP", Demotion::Carp),
        ("file:/d", Demotion::File("/d".into())),
        ("file:/run/hfm demotion", Demotion::File("/run/hfm demotion".into())),
        ("file:///run/d", Demotion::File("///run/d".into())),
        ("file:/run/file:d", Demotion::File("/run/file:d".into())),
        ("file:/run/.d", Demotion::File("/run/.d".into())),
    ] {
        assert_eq!(demotion(text), Ok(meant), "{text}");
    }
    for text in [
        "",
        "no",
        "carp ",
        "carp:/run/d",
        "/run/d",
        "file",
        "file:",
        "file: /run/d",
        "FILE:/run/d",
        "file:run/d",
        "file:./d",
        "file:/",
        "file:/run/",
        "file:/run/.",
        "file:/run/..",
        "file:/run/d\n",
        "file:/run/\u{0}d",
    ] {
        assert!(demotion(text).is_err(), "{text:?}");
    }
}

#[test]
fn whoever_nearly_says_it_is_told_how_it_is_written() {
    for (text, help) in [
        ("/run/d", "for a file write file:/run/d"),
        ("FILE:/run/d", "did you mean 'file:/run/d'?"),
        ("fiel:/run/d", "did you mean 'file:/run/d'?"),
        ("crap", "did you mean 'carp'?"),
        ("vrrp", "it is carp, or file:PATH, a file that keepalived's track_file reads"),
    ] {
        let wrong = demotion(text).expect_err(text);
        assert_eq!(wrong.help.as_deref(), Some(help), "{text}");
    }
}
