//! Writes plausible UCL at random: mostly what people write, with every oddity now and then.

use super::Rng;

/// One text, and what it may include: names of files beside it.
pub(crate) fn text(rng: &mut Rng, includes: &[&str]) -> String {
    let mut writer = Writer { rng, out: String::new(), includes };
    writer.document();
    writer.out
}

struct Writer<'r> {
    rng: &'r mut Rng,
    out: String,
    includes: &'r [&'r str],
}

const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "test",
    "interval",
    "lb1",
    "haproxy",
    "test_arguments",
    "timeout-kill",
    "x.y",
    "_k",
    "/p",
    "9",
    "0x1",
    "\"q k\"",
    "\"a\\\"b\"",
    "\"\\u00e9\"",
    "k\u{e9}y",
    "\u{65e5}",
    "\"{\"",
    "\"a:b\"",
    "\"\\d\"",
    "\"$CURDIR\"",
];

const WORDS: &[&str] = &[
    "foo",
    "true",
    "False",
    "yes",
    "NO",
    "on",
    "oFF",
    "null",
    "NULL",
    "nan",
    "inf",
    "-inf",
    "enabled",
    "10.2.1.251",
    "::1",
    "http://h/x?y=1",
    "http://h:80/",
    "/bin/sh",
    "a b  c",
    "x{y}z",
    "x{y{1}}",
    "[1]",
    "x[1]y",
    "x(y)",
    "${CURDIR}/x",
    "$FILENAME",
    "$ABI/x",
    "$$CURDIR",
    "$$",
    "${",
    "${X}",
    "${CURDIR",
    "a$",
    "$CURDIRx",
    "a\\ b",
    "a\\;b",
    "a\\nb",
    "\\u0041x",
    "a\\",
    "it's",
    "a\"b",
    "a=b",
    "a:b",
    "!x",
    "%",
    "*",
    "a*b",
    "<",
    "<<",
    "<<eod",
    "<x",
    "-",
    "-x",
    "--1",
    "+5",
    ".5",
    "~",
    "|",
    "@x",
    "&",
    "tru",
    "trueish",
    "nully",
    "\u{e9}t\u{e9}",
    "\u{1f600}",
    "a/b",
    "a/ *b",
    "\\{",
    "x\\}y",
    "{}",
    "x\ty",
    "50%",
    "1.1",
    "a\u{c}b",
    "a\u{1}b",
    "=x",
    "x\\",
    "'",
    "'x",
    "-inf",
    "e5",
    "x1",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "42",
    "007",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1.5",
    "-0.0",
    "-0",
    "1.",
    "1.e5",
    "0.0078125",
    "1e3",
    "1E-3",
    "1e+3",
    "1e",
    "1e+",
    "1e5.5",
    "1.5.2",
    "1..2",
    "1e400",
    "1e-400",
    "0x1F",
    "0XaB",
    "-0x10",
    "0x",
    "0x1.5",
    "0xg",
    "1234567.1234567",
    "123456789012",
    "2147483647",
    "-2147483648",
    "2147483648.5",
    "0.00000001",
    "3.00000001",
    "100000.00000004",
    "10x",
    "5-3",
    "1_000",
    "12/3",
    "1,5",
    "3.14159265358979",
    "0.1",
    "1e-7",
    "99999999999999999999",
    "1.0000001",
    "0.9999999",
    "5.0000005",
];

const UNITS: &[&str] = &[
    "k", "m", "g", "K", "M", "G", "kb", "mb", "gb", "KB", "Mb", "gB", "ms", "MS", "s", "S", "min", "Min",
    "MIN", "h", "H", "d", "w", "y", "Y", "ks", "gs", "mi", "mins", "sec", "bs", "b", "kbs", "msx", "sx",
    "hh", "t", "us", "kk",
];

impl Writer<'_> {
    fn document(&mut self) {
        match self.rng.below(40) {
            0 => {
                self.gap();
                self.out.push('[');
                self.elements(0);
                self.out.push(']');
                return;
            }
            1..=4 => {
                self.out.push('{');
                self.entries(0);
                self.out.push('}');
                return;
            }
            5 => self.comment(),
            _ => {}
        }
        self.entries(0);
        if self.rng.percent(2) {
            let stray = self
                .rng
                .pick(&["}", "]", "{", "[", ";", ",", "\"", "/*", "'", "a", ".", "#x", "\\"])
                .to_owned();
            let at = self.rng.below(self.out.len() + 1);
            if self.out.is_char_boundary(at) {
                self.out.insert_str(at, &stray);
            }
        }
    }

    fn entries(&mut self, depth: usize) {
        for _ in 0..self.rng.below(if depth == 0 { 7 } else { 4 }) {
            self.gap();
            match self.rng.below(24) {
                0 => self.macro_call(),
                1..=4 if depth < 5 => self.section(depth),
                _ => self.entry(depth),
            }
        }
        self.gap();
    }

    fn section(&mut self, depth: usize) {
        for _ in 0..1 + self.rng.below(3) {
            self.key();
            self.blank();
        }
        match self.rng.percent(85) {
            true => self.braced(depth),
            false => self.array(depth),
        }
        self.separator();
    }

    fn entry(&mut self, depth: usize) {
        self.key();
        let separator = self.rng.pick(&[
            " = ",
            " = ",
            " = ",
            "=",
            ": ",
            ":",
            " ",
            " ",
            "\t",
            " =\n  ",
            " /* c */ = ",
            " : # c\n",
            "  ",
        ]);
        self.out.push_str(separator);
        self.value(depth);
        self.separator();
    }

    fn separator(&mut self) {
        if self.rng.percent(2) {
            return;
        }
        let end = self.rng.pick(&[
            "\n",
            "\n",
            "\n",
            "\n",
            ";",
            ";\n",
            ",",
            " ;\n",
            " # c\n",
            "\r\n",
            " /* c */ ",
            "\n\n",
            ";;",
            " \n",
            "\t\n",
        ]);
        self.out.push_str(end);
    }

    fn braced(&mut self, depth: usize) {
        self.out.push('{');
        if self.rng.percent(50) {
            self.out.push('\n');
        }
        self.entries(depth + 1);
        self.out.push('}');
    }

    fn array(&mut self, depth: usize) {
        self.out.push('[');
        self.elements(depth + 1);
        self.out.push(']');
    }

    fn elements(&mut self, depth: usize) {
        for at in 0..self.rng.below(4) {
            if at > 0 {
                let between = self.rng.pick(&[", ", ",", ",\n", "\n", "; ", " , # c\n", ",,", " "]);
                self.out.push_str(between);
            }
            self.value(depth);
        }
        let end = self.rng.pick(&["", "", " ", "\n", ",", "\n# c\n"]);
        self.out.push_str(end);
    }

    fn key(&mut self) {
        let key = self.rng.pick(KEYS);
        self.out.push_str(key);
    }

    fn value(&mut self, depth: usize) {
        match self.rng.below(20) {
            0 if depth < 5 => self.braced(depth),
            1 | 2 if depth < 5 => self.array(depth),
            3..=6 => self.double_quoted(),
            7 | 8 => self.single_quoted(),
            9 => self.heredoc(),
            10..=13 => {
                let number = self.rng.pick(NUMBERS);
                self.out.push_str(number);
            }
            14 | 15 => {
                let number = match self.rng.percent(70) {
                    true => self.rng.below(100_000).to_string(),
                    false => self.rng.pick(NUMBERS).to_owned(),
                };
                let unit = self.rng.pick(UNITS);
                self.out.push_str(&number);
                self.out.push_str(unit);
            }
            _ => {
                let word = self.rng.pick(WORDS);
                self.out.push_str(word);
            }
        }
    }

    fn double_quoted(&mut self) {
        self.out.push('"');
        for _ in 0..self.rng.below(4) {
            let part = self.rng.pick(&[
                "x",
                "foo bar",
                "\\n",
                "\\\"",
                "\\\\",
                "\\/",
                "\\t\\r\\b\\f",
                "\\d",
                "\\$CURDIR",
                "\\u00e9",
                "\\u20AC",
                "\\u0041",
                "$CURDIR",
                "${FILENAME}",
                "$$",
                "#",
                ";",
                "/*",
                "{",
                "}",
                "'",
                "\u{1f}",
                "\u{7f}",
                "\u{e9}",
                "10",
                "\\x",
                " ",
                "\t",
                "\\\u{e9}",
            ]);
            self.out.push_str(part);
        }
        self.out.push('"');
    }

    fn single_quoted(&mut self) {
        self.out.push('\'');
        for _ in 0..self.rng.below(4) {
            let part = self.rng.pick(&[
                "x", "\\'", "\\n", "\\\\", "\\\n", "\\\r\n", "\n", "\"", "$CURDIR", "#", "\\\u{e9}", "\t",
                " ",
            ]);
            self.out.push_str(part);
        }
        self.out.push('\'');
    }

    fn heredoc(&mut self) {
        let word = self.rng.pick(&["EOD", "E", "TEXT", "EOD", ""]);
        self.out.push_str("<<");
        self.out.push_str(word);
        self.out.push_str(self.rng.pick(&["\n", "\n", "\n", "\n", "\n", "\n", "\r\n", " \n", "x\n"]));
        for _ in 0..self.rng.below(4) {
            let line = self.rng.pick(&[
                "text\n",
                "\n",
                "$CURDIR\n",
                " EOD\n",
                "EODX\n",
                "EOD \n",
                "a\\nb\n",
                "\"'{\n",
                "x\r\n",
                "$$ ${FILENAME}\n",
                "EE\n",
                "\u{e9}\n",
            ]);
            self.out.push_str(line);
        }
        self.out.push_str(word);
        self.out.push_str(self.rng.pick(&["\n", "\n", "\n", ";", ",", " \n", ""]));
    }

    fn blank(&mut self) {
        let blank = self.rng.pick(&[" ", " ", " ", "  ", "\t", " /* c */ "]);
        self.out.push_str(blank);
    }

    fn gap(&mut self) {
        match self.rng.below(12) {
            0 => self.out.push_str("  "),
            1 => self.out.push('\n'),
            2 => self.comment(),
            3 => self.out.push('\t'),
            _ => {}
        }
    }

    fn comment(&mut self) {
        let comment = self.rng.pick(&[
            "# c\n",
            "#\n",
            "# { \" '\n",
            "/* c */",
            "/* a /* b */ c */",
            "/* \n */\n",
            "/* \"*/\" */",
            "# a\n# b\n",
            "/**/",
        ]);
        self.out.push_str(comment);
    }

    fn macro_call(&mut self) {
        if self.includes.is_empty() || self.rng.percent(15) {
            let priority = self.rng.pick(&[
                ".priority 1\n",
                ".priority 0\n",
                ".priority \"3\";",
                ".priority(priority=2);",
                ".priority 5;\n",
                ".priority {4}\n",
                ".unknown x\n",
            ]);
            self.out.push_str(priority);
            return;
        }
        self.out.push_str(self.rng.pick(&[".include", ".include", ".include", ".include", ".try_include"]));
        if self.rng.percent(70) {
            self.out.push_str(self.rng.pick(&["(", "(", " ("]));
            for at in 0..1 + self.rng.below(3) {
                if at > 0 {
                    self.out.push_str(self.rng.pick(&[", ", ",", "; "]));
                }
                let argument = self.rng.pick(&[
                    "try=true",
                    "try = false",
                    "glob=true",
                    "priority=0",
                    "priority=1",
                    "priority: 2",
                    "duplicate=append",
                    "duplicate=merge",
                    "duplicate=merge",
                    "duplicate=rewrite",
                    "duplicate=\"rewrite\"",
                    "duplicate=error",
                    "prefix=true",
                    "key=a",
                    "key=lb1",
                    "key=\"new\"",
                    "target=array",
                    "target=object",
                    "try=yes",
                ]);
                self.out.push_str(argument);
            }
            self.out.push(')');
        }
        self.out.push_str(self.rng.pick(&[" ", " ", "  "]));
        let name = self.rng.pick(self.includes);
        let form = self.rng.below(5);
        let end = self.rng.pick(&["\n", ";", ";\n", "\n\n"]);
        let call = match form {
            0 => format!("\"$CURDIR/{name}\"{end}"),
            1 => format!("${{CURDIR}}/{name}{end}"),
            2 => format!("{{ $CURDIR/{name}}}{end}"),
            3 => format!("\"$CURDIR/missing.inc\"{end}"),
            _ => format!("\"${{CURDIR}}/{name}\"{end}"),
        };
        self.out.push_str(&call);
    }
}
