//! Text that others choose: output of tests and commands, names of rules, heads and bodies of replies. Whatever
//! is in it, the log has a line for each event, and no line is of another's making.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::harness::Place;
use crate::json::Value;
use crate::log_forms::{member, objects, of_event};

/// What no line may hold, and what stays as it is.
fn hostile() -> String {
    let controls = ('\0'..'\u{20}').chain('\u{7f}'..'\u{a0}');
    let others = ('\u{2028}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    let all: String = controls.chain(others).collect();
    format!(
        "é{all}\n2026/11/21 00:00:00 'forged' run 1:forged:1 changed state to: RuleStateFail\r\n\"}}\n{{\"event\":\"forged"
    )
}

/// As much of it as the name of a rule may have.
fn name() -> String {
    hostile().replace('/', "-").replace(char::is_control, "")
}

/// In the escapes of JSON, for a configuration; without NUL, which no file may hold.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '\0' => String::new(),
        '"' | '\\' => format!("\\{c}"),
        c if c.is_ascii_graphic() || c == ' ' => c.to_string(),
        c => format!("\\u{:04x}", u32::from(c)),
    };
    text.chars().map(escape).collect()
}

/// Answers every connection with these bytes.
fn server(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer);
        }
    });
    port
}

/// Runs hfm on all that is hostile, its log in this form.
fn log(test: &str, form: &str) -> String {
    let place = Place::new(test);
    let hostile = hostile();
    let bytes = [hostile.as_bytes(), b"\xff\xfe\xc3\x28\xe2\x80\n"].concat();
    std::fs::write(place.path.join("bytes"), &bytes).expect("a file of the test");
    let reply = [b"HTTP/1.1 503 ".as_slice(), &bytes, b"\r\nX: ", &bytes, b"\r\n\r\n", &bytes].concat();
    let malformed = [bytes.as_slice(), b"\r\n\r\n"].concat();
    let one_line: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let reason =
        [b"HTTP/1.1 503 ".as_slice(), &one_line, b"\r\nX: ", &one_line, b"\r\n\r\n", &bytes].concat();
    let (reply, malformed, reason) = (server(reply), server(malformed), server(reason));
    let (status, log) = place.run(&format!(
        "log_format = {form}\nruns = 1\ninterval = 1s\n\
         prints {{ test = cat; test_arguments = ['@DIR@/bytes'] }}\n\
         complains {{ test = sh; test_arguments = [-c, 'cat @DIR@/bytes >&2; exit 1'] \n\
                      change_fail = cat; change_fail_arguments = ['@DIR@/bytes'] }}\n\
         \"{name}\" {{ test = \"false\" }}\n\
         depends {{ test = \"true\"; start_delay = 1s; requires = [\"{name}\"] }}\n\
         gone {{ test = \"/nowhere/{all}\" }}\n\
         reply {{ test = \"http://127.0.0.1:{reply}/\" }}\n\
         malformed {{ test = \"http://127.0.0.1:{malformed}/\" }}\n\
         header {{ test = \"http://127.0.0.1:{reason}/\"; expect_header = 'X: ^none$'; http_status = 503 }}\n\
         banner {{ test = \"tcp://127.0.0.1:{malformed}\"; send = 'x'; expect = \"{all}\" }}\n",
        name = escaped(&name()),
        all = escaped(&hostile),
    ));
    assert_eq!(status.code(), Some(0), "{log}");
    log
}

/// Events of one run of each rule, as the log must have them.
const CHANGES: usize = 8;
const OUTPUTS: usize = 3;

#[test]
fn as_text_there_are_as_many_lines_as_events() {
    let log = log("hostile-text", "text");
    assert_eq!(log.lines().count(), log.matches('\n').count());
    for line in log.lines() {
        assert!(!line.contains(hfm::line::is_harmful), "{line:?}");
        let stamp: String = line.chars().take(20).map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(stamp, "9999/99/99 99:99:99 ", "{line}");
        assert!(!line[20..].starts_with("'forged'"), "{line}");
    }
    let begins = |line: &&str, with: &str| line[20..].starts_with(with);
    let count =
        |with: &str, has: &str| log.lines().filter(|line| begins(line, with) && line.contains(has)).count();
    for rule in ["prints", "complains", "depends", "reply", "malformed", "header", "banner"] {
        assert_eq!(count(&format!("'{rule}' run "), " previous="), 1, "{rule}:\n{log}");
    }
    assert_eq!(count("'prints' run ", "produced output: é\\u{0}\\u{1}"), 1, "{log}");
    assert_eq!(count("'prints' run ", "\\u{202e}"), 1, "{log}");
    assert_eq!(count("'prints' run ", "\u{fffd}"), 1, "invalid UTF-8 is replaced:\n{log}");
    assert_eq!(count("'complains' run ", "test produced error output: é\\u{0}"), 1, "{log}");
    assert_eq!(count("'complains' run ", "change command produced output: é\\u{0}"), 1, "{log}");
    assert_eq!(
        count("'é\\u{2028}\\u{2029}\\u{202a}", " changed state to: RuleStateFail previous="),
        1,
        "{log}"
    );
    let expected = objects(&self::log("hostile-counted", "json")).len();
    assert_eq!(log.lines().count(), expected, "as many lines as the same events have in JSON:\n{log}");
}

#[test]
fn as_json_every_line_is_one_object_and_says_what_was_said() {
    let log = log("hostile-json", "json");
    assert!(log.lines().all(|line| !line.contains(hfm::line::is_harmful)), "{log:?}");
    let objects = objects(&log);
    assert!(of_event(&objects, "forged").is_empty(), "{log}");
    assert_eq!(of_event(&objects, "change").len(), CHANGES, "{log}");
    let outputs = of_event(&objects, "output");
    assert_eq!(outputs.len(), OUTPUTS, "{log}");
    for output in outputs {
        let Some(Value::Text(output)) = member(output, "output") else { panic!("no output: {output:?}") };
        // Nothing is lost but what was no text.
        assert!(output.starts_with(&hostile()) && output.contains('\u{fffd}'), "{output:?}");
    }
    let name = name();
    let named = |object: &&crate::json::Object| member(object, "rule") == Some(&Value::Text(name.clone()));
    assert_eq!(of_event(&objects, "change").into_iter().filter(named).count(), 1, "{log}");
    assert_eq!(of_event(&objects, "not-started").len(), 1, "{log}");
}
