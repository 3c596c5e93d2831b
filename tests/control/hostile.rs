//! Clients that are stuck, broken or bad: each harms itself alone.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use crate::harness::{Daemon, patiently};
use crate::talk::{Home, Talk, rules, send_what_goes};

const STATUS: &[u8] = b"{\"command\":\"status\"}\n";
/// So many clients at a time.
const CLIENTS: usize = 32;

/// One rule that runs all the time, and thousands that only have to be told of.
fn many_rules() -> String {
    let idle: String = (0..10_000).map(|n| format!("idle{n} {{ test = x; status = disabled }}\n")).collect();
    format!("busy {{ test = \"tcp://127.0.0.1:1\"; interval = 10ms }}\n{idle}")
}

/// Runs of `busy` go on.
fn assert_runs_go_on(daemon: &mut Daemon, talk: &mut Talk) {
    let mut runs = || talk.stats()["runs"].as_u64().expect("a number");
    let before = runs();
    assert!(patiently(|| runs() >= before + 50), "no runs any more: {}", daemon.log());
    assert!(daemon.is_running());
}

#[test]
fn clients_that_take_nothing_hold_up_nothing() {
    let home = Home::new("stuck");
    let mut daemon = home.start(&many_rules());
    // Each asks for everything, again and again, and reads none of it.
    let stuck: Vec<Talk> = (0..CLIENTS - 1)
        .map(|_| {
            let mut talk = home.talk();
            talk.send(&STATUS.repeat(20));
            talk
        })
        .collect();
    let mut talk = home.talk();
    assert!(patiently(|| talk.stats()["clients"] == CLIENTS));
    assert_runs_go_on(&mut daemon, &mut talk);
    // One that reads gets all of it beside them.
    let answer = talk.ask("{\"command\":\"status\"}");
    assert_eq!((answer.len(), rules(&answer)[0]), (10_002, "busy"));
    // In the end they are closed, and others are let in.
    assert!(patiently(|| talk.stats()["clients"] == 1), "{}", talk.stats());
    drop(stuck);
    assert_eq!(rules(&home.talk().ask("{\"command\":\"status\",\"rules\":\"busy\"}")), ["busy"]);
}

#[test]
fn all_clients_together_get_whole_answers() {
    let home = Home::new("together");
    let mut daemon = home.start(&many_rules());
    let mut talks: Vec<Talk> = (0..CLIENTS - 1).map(|_| home.talk()).collect();
    talks.iter_mut().for_each(|talk| talk.send(STATUS));
    for talk in &mut talks {
        let answer = talk.answer();
        assert_eq!((answer.len(), &answer[10_001]["text"]), (10_002, &"10001 rules".into()));
        assert_eq!(rules(&answer)[10_000], "idle9999");
    }
    assert_runs_go_on(&mut daemon, &mut home.talk());
}

#[test]
fn one_too_many_is_told_so_and_a_place_that_is_free_is_given_away() {
    let home = Home::new("full");
    let _daemon = home.start("a { test = \"true\"; interval = 1h }\n");
    let mut talks: Vec<Talk> = (0..CLIENTS).map(|_| home.talk()).collect();
    talks.iter_mut().for_each(|talk| assert_eq!(talk.stats()["type"], "stats"));
    let mut late = home.talk();
    let line = late.line().expect("a line");
    assert_eq!(
        (&line["type"], &line["text"]),
        (&"refused".into(), &"too many clients: there are 32 already".into())
    );
    assert!(late.line().is_none());
    drop(talks.pop());
    drop(alone_with(&home, CLIENTS));
    assert!(patiently(|| talks[0].stats()["clients"] == CLIENTS - 1));
}

/// The one who is let in when there are so many clients, itself included.
fn alone_with(home: &Home, clients: usize) -> Talk {
    let mut found = None;
    let is_in = patiently(|| {
        let mut talk = home.talk();
        // It may be turned away before it is heard.
        let _ = send_what_goes(talk.stream(), b"{\"command\":\"stats\"}\n");
        let is_in = talk.answer()[0]["clients"] == clients;
        found = is_in.then_some(talk);
        is_in
    });
    assert!(is_in, "never {clients} clients");
    found.expect("it is in")
}

#[test]
fn thousands_of_connections_leave_nothing_behind() {
    let home = Home::new("thousands");
    let mut daemon = home.start("busy { test = \"tcp://127.0.0.1:1\"; interval = 10ms }\n");
    #[cfg(target_os = "linux")]
    let before = daemon.descriptors();
    for round in 0..3000 {
        let stream = UnixStream::connect(home.socket()).expect("hfm listens");
        match round % 4 {
            0 => {}
            1 => drop(send_what_goes(&stream, b"{\"command\":\"stat")),
            2 => drop(send_what_goes(&stream, STATUS)),
            _ => drop(send_what_goes(&stream, b"\xff\0\n{\"command\":\"events\"}\n")),
        }
    }
    let mut talk = alone_with(&home, 1);
    assert_runs_go_on(&mut daemon, &mut talk);
    drop(talk);
    #[cfg(target_os = "linux")]
    assert!(
        patiently(|| daemon.descriptors() <= before + 1),
        "{} before, {} now",
        before,
        daemon.descriptors()
    );
    assert!(daemon.stop().success());
}

#[test]
fn lines_that_are_none_are_refused_one_by_one() {
    let home = Home::new("lines");
    let mut daemon = home.start("a { test = \"true\"; interval = 1h }\n");
    let mut talk = home.talk();
    for bad in [&b""[..], b"x", b"\xff\xfe", b"\0\0\0", b"{\"command\":\"stats\"", b"[]", b"{\"a\":\x1b[31m}"]
    {
        talk.send(bad);
        talk.send(b"\n");
        let answer = talk.answer();
        assert_eq!((answer.len(), &answer[0]["type"]), (1, &"refused".into()), "{bad:?}");
    }
    // Byte by byte.
    for byte in STATUS {
        talk.send(&[*byte]);
    }
    assert_eq!(rules(&talk.answer()), ["a"]);
    // A flood of them.
    talk.send(&b"\n".repeat(5000));
    for _ in 0..5000 {
        assert_eq!(talk.answer()[0]["text"], "an empty line is no request");
    }
    // After a giant one nothing can be trusted.
    let giant =
        [b"{\"command\":\"stop\",", &b"x".repeat(1 << 20)[..], b"\n{\"command\":\"stop\"}\n"].concat();
    let mut sent = 0;
    while sent < giant.len() {
        match send_what_goes(talk.stream(), &giant[sent..]) {
            Ok(bytes) => sent += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    let line = talk.line().expect("why");
    assert!(
        line["text"].as_str().expect("a text").starts_with("a line is longer than 16384 bytes"),
        "{line}"
    );
    assert!(talk.is_closed());
    assert!(daemon.is_running());
    // One that ends in the middle of a line.
    let mut talk = home.talk();
    talk.send(b"{\"command\":\"stop\"}");
    talk.stream().shutdown(Shutdown::Write).expect("half of it");
    assert_eq!(talk.line().expect("why")["text"], "the last line has no end");
    assert!(talk.is_closed());
    assert!(daemon.is_running());
}

#[test]
fn whoever_leaves_in_the_middle_of_an_answer_leaves_its_place() {
    let home = Home::new("middle");
    let mut daemon = home.start(&many_rules());
    for _ in 0..3 {
        let mut talks: Vec<Talk> = (0..CLIENTS).map(|_| home.talk()).collect();
        for talk in &mut talks {
            talk.send(STATUS);
            assert_eq!(talk.line().expect("a line")["type"], "rule");
        }
    }
    assert_runs_go_on(&mut daemon, &mut alone_with(&home, 1));
}

#[test]
fn patterns_that_are_costly_are_paid_by_who_gives_them() {
    let home = Home::new("patterns");
    let mut daemon = home.start(&many_rules());
    let set: String = ('!'..='~').filter(|c| !"\\\"]".contains(*c)).collect::<String>().repeat(10);
    let costly = format!("{{\"command\":\"status\",\"rules\":\"*[!{set}]*\"}}\n");
    let mut talks: Vec<Talk> = (0..8).map(|_| home.talk()).collect();
    talks.iter_mut().for_each(|talk| talk.send(costly.as_bytes()));
    let mut talk = home.talk();
    assert_runs_go_on(&mut daemon, &mut talk);
    assert!(talks[0].answer()[0]["text"].as_str().expect("a text").starts_with("no rule matches '*[!"));
    let long = format!("{{\"command\":\"status\",\"rules\":\"{}\"}}", "*a".repeat(600));
    assert_eq!(talk.refused(&long), "'rules' is longer than 1024 characters");
}

/// Whoever connects while there is no descriptor left waits, and the loop does not spin meanwhile.
#[test]
#[cfg(target_os = "linux")]
fn without_descriptors_clients_wait() {
    let home = Home::new("descriptors");
    let mut daemon = home.start("a { test = \"true\"; interval = 1h }\n");
    daemon.wait_for("changed state to", 1);
    let mut talk = alone_with(&home, 1);
    let pid = daemon.pid();
    let limit = |files: usize| {
        let mut command = std::process::Command::new("prlimit");
        command.args([format!("--pid={pid}"), format!("--nofile={files}:")]);
        command.status().is_ok_and(|status| status.success())
    };
    let open = daemon.descriptors();
    if !limit(open) {
        return crate::skip::skip("control: no prlimit(1) to take descriptors away");
    }
    // A few numbers below the limit may be free.
    let late: Vec<Talk> = (0..10).map(|_| home.talk()).collect();
    daemon.wait_for("control: a client cannot be accepted: Too many open files", 1);
    assert!(talk.stats()["clients"].as_u64() < Some(11), "who is there goes on");
    let cpu = cpu_ticks(&daemon);
    crate::harness::pause(std::time::Duration::from_secs(3));
    let spent = cpu_ticks(&daemon) - cpu;
    // A loop that spins takes 300 of them.
    assert!(spent < 100, "{spent} ticks of the processor in 3 s");
    assert_eq!(daemon.log().matches("cannot be accepted").count(), 1, "told once: {}", daemon.log());
    assert!(limit(open + 20));
    for mut late in late {
        late.send(STATUS);
        assert_eq!(rules(&late.answer()), ["a"]);
    }
}

/// Time of the processor that hfm has taken, in hundredths of a second (proc(5)).
#[cfg(target_os = "linux")]
fn cpu_ticks(daemon: &Daemon) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).expect("hfm runs");
    let fields = stat.rsplit_once(") ").expect("a name").1.split(' ');
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// Whoever asks how tables stand and leaves has the writer look at them all for nobody.
#[test]
fn questions_that_nobody_waits_for_keep_no_dead_host_in() {
    let home = Home::new("abandoned");
    let address = |n: usize| format!("\"10.1.{}.{}\"", n / 250, n % 250);
    let idle = |part: usize| {
        let addresses: Vec<String> = (part * 1000..(part + 1) * 1000).map(address).collect();
        let addresses = addresses.join(", ");
        format!("many{part} {{ test = \"true\"; interval = 1h; addresses = [{addresses}] }}\n")
    };
    let many: String = (0..5).map(idle).collect();
    let up = home.0.write("up", "");
    let mut daemon = home.start(&format!(
        "dataplane = memory\ninterval = 50ms\ntables = web\n{many}\
         busy {{ test = \"tcp://127.0.0.1:1\"; interval = 10ms; tables = [] }}\n\
         w {{ test = test; test_arguments = [\"-e\", \"{}\"]; addresses = \"10.9.9.9\" }}\n",
        up.display()
    ));
    daemon.wait_for("'w' run", 1);
    for _ in 0..3000 {
        let stream = UnixStream::connect(home.socket()).expect("hfm listens");
        let _ = send_what_goes(&stream, b"{\"command\":\"tables\"}\n");
    }
    std::fs::remove_file(&up).expect("it was there");
    let mut talk = alone_with(&home, 1);
    let is_out = |talk: &mut Talk| {
        let answer = talk.ask("{\"command\":\"tables\"}");
        answer.iter().any(|line| line["address"] == "10.9.9.9" && line["actual"] == false)
    };
    assert!(patiently(|| is_out(&mut talk)), "{}", daemon.log());
    assert_runs_go_on(&mut daemon, &mut talk);
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        let kib: u64 = most.trim().split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
        assert!(kib < 200_000, "{kib} KiB for nobody");
    }
    assert!(daemon.stop().success());
}

#[test]
fn rules_are_found_wherever_they_are_among_many() {
    let home = Home::new("search");
    let mut daemon = home.start(&many_rules());
    let mut talk = home.talk();
    let answer = talk.ask("{\"command\":\"run\",\"rules\":\"*[!x]9999\"}");
    assert_eq!(
        (answer.len(), &answer[0]["type"], &answer[1]["text"]),
        (2, &"warning".into(), &"0 runs".into())
    );
    let answer = talk.ask("{\"command\":\"run\",\"rules\":\"idle*\"}");
    assert_eq!(answer[0]["text"], "'idle*' matches 10000 rules; run takes 100 at most");
    assert_eq!(
        talk.done("{\"command\":\"set\",\"rules\":\"idle*\",\"to\":\"always-success\"}"),
        "10000 rules set to always-success"
    );
    assert_eq!(talk.stats()["overrides"], 10_000);
    assert_eq!(talk.done("{\"command\":\"enable\",\"rules\":\"*\"}"), "10000 rules enabled");
    assert_eq!(talk.stats()["overrides"], 0);
    assert_runs_go_on(&mut daemon, &mut talk);
}
