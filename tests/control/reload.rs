//! Reloads that clients ask for, beside each other and beside SIGHUP.

use nix::sys::signal::Signal;

use crate::talk::Home;

const RELOAD: &str = r#"{"command":"reload"}"#;

#[test]
fn it_is_answered_when_the_new_one_is_in_force() {
    let home = Home::new("reload");
    let mut daemon = home.start("interval = 1h\na { test = \"true\" }\nb { test = \"true\" }\n");
    daemon.wait_for("changed state to", 2);
    home.0.write(
        "hfm.conf",
        &home.configuration("interval = 1h\na { test = \"true\" }\nc { test = \"true\" }\n"),
    );
    let mut talk = home.talk();
    assert_eq!(talk.done(RELOAD), "reloaded: 2 rules: 1 kept, 0 adjusted, 0 changed, 1 new; 1 gone");
    assert_eq!(talk.stats()["reloads"], 1);
    let who = format!("control: reload uid={} pid={}", nix::unistd::getuid(), std::process::id());
    daemon.wait_for(&who, 1);
    daemon.wait_for("control: reading the configuration again", 1);
}

#[test]
fn errors_and_warnings_are_told_as_the_log_has_them() {
    let home = Home::new("reload-bad");
    let mut daemon = home.start("a { test = \"true\"; interval = 1h }\n");
    home.0.write(
        "hfm.conf",
        &home.configuration("interval = x\na { test = \"true\" }\nb { tset = \"true\" }\nruns = 70000\n"),
    );
    let mut talk = home.talk();
    let answer = talk.ask(RELOAD);
    let details = answer[0]["details"].as_array().expect("details");
    assert_eq!(answer[0]["text"], "the configuration has 3 errors, nothing changes");
    assert_eq!(details.len(), 3, "{answer:?}");
    for detail in details {
        let detail = detail.as_str().expect("a text");
        assert!(detail.contains("hfm.conf:") && !detail.contains('\n'), "{detail}");
        daemon.wait_for(detail, 1);
    }
    // What is refused for another reason says so, and a file that only has warnings tells them.
    home.0.write("hfm.conf", "control = \"/run/elsewhere/hfm.sock\"\na { test = \"true\"; interval = 1h }\n");
    assert_eq!(talk.refused(RELOAD), "'control' cannot change while hfm runs; restart hfm");
    home.0.write("hfm.conf", &home.configuration("a { test = \"true\"; interval = 1h; interval = 2h }\n"));
    let answer = talk.ask(RELOAD);
    assert_eq!((&answer[0]["type"], &answer[1]["type"]), (&"warning".into(), &"done".into()), "{answer:?}");
    assert!(answer[0]["text"].as_str().expect("a text").contains("hfm.conf:2:"), "{answer:?}");
    assert_eq!(talk.stats()["reloads"], 1);
}

#[test]
fn whoever_asks_hears_of_a_reading_that_began_after_that() {
    let home = Home::new("reload-many");
    let mut daemon = home.start("a { test = \"true\"; interval = 1h }\n");
    // Each changes the file before it asks, so each answer must know of it.
    let mut talks: Vec<_> = (0..8).map(|_| home.talk()).collect();
    for round in 1..=20 {
        for (number, talk) in talks.iter_mut().enumerate() {
            let rules: String =
                (0..=number).map(|n| format!("r{round}x{n} {{ test = x; status = disabled }}\n")).collect();
            home.0.write(
                "new",
                &home.configuration(&format!("a {{ test = \"true\"; interval = 1h }}\n{rules}")),
            );
            std::fs::rename(home.0.path.join("new"), home.0.path.join("hfm.conf")).expect("another file");
            talk.send(format!("{RELOAD}\n").as_bytes());
            if number % 3 == 0 {
                daemon.signal(Signal::SIGHUP);
            }
        }
        for (number, talk) in talks.iter_mut().enumerate() {
            let answer = talk.answer();
            let text = answer[0]["text"].as_str().expect("a text");
            let rules: usize = text
                .strip_prefix("reloaded: ")
                .and_then(|text| text.split(' ').next()?.parse().ok())
                .expect(text);
            assert!(rules > number + 1, "round {round}, client {number}: {text}");
        }
    }
    let reloads = home.talk().stats()["reloads"].as_u64().expect("a number");
    assert!((20..=20 * 12).contains(&reloads), "{reloads}");
    assert!(daemon.is_running());
}
