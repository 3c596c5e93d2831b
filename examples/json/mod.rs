//! A value tree as libucl's JSON emitter prints it, so that both can be compared byte by byte.

use std::fmt::Write;

use hfm::ucl::{Entry, Kind, Object, Value};

/// The text that `ucl_object_emit` gives for `UCL_EMIT_JSON`.
pub(crate) fn emit(root: &Value) -> String {
    let mut out = String::new();
    value(&mut out, root, 0);
    out
}

fn value(out: &mut String, value: &Value, depth: usize) {
    match &value.kind {
        Kind::Null => out.push_str("null"),
        Kind::Boolean(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Kind::Integer(whole) => drop(write!(out, "{whole}")),
        Kind::Float(float) | Kind::Time(float) => out.push_str(&double(*float)),
        Kind::String { text, style: _ } => string(out, text),
        Kind::Array(values) => array(out, values.iter(), depth),
        Kind::Object(entries) => object(out, entries, depth),
    }
}

fn object(out: &mut String, Object { entries }: &Object, depth: usize) {
    out.push_str("{\n");
    for (at, Entry { key, items }) in entries.iter().enumerate() {
        if at > 0 {
            out.push_str(",\n");
        }
        indent(out, depth + 1);
        // libucl writes the comma before an implicit array twice.
        if at > 0 && items.len() > 1 {
            out.push_str(",\n");
            indent(out, depth + 1);
        }
        string(out, key);
        out.push_str(": ");
        match items.as_slice() {
            [item] => value(out, &item.value, depth + 1),
            // libucl takes the head of the implicit array for the whole when it is an array itself.
            [item, ..] if matches!(item.value.kind, Kind::Array(_)) => value(out, &item.value, depth + 1),
            _ => array(out, items.iter().map(|item| &item.value), depth + 1),
        }
    }
    out.push('\n');
    indent(out, depth);
    out.push('}');
}

fn array<'v>(out: &mut String, values: impl Iterator<Item = &'v Value>, depth: usize) {
    out.push_str("[\n");
    for (at, element) in values.enumerate() {
        if at > 0 {
            out.push_str(",\n");
        }
        indent(out, depth + 1);
        value(out, element, depth + 1);
    }
    out.push('\n');
    indent(out, depth);
    out.push(']');
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n(' ', depth * 4));
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\u000B"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c if c.is_ascii_control() => out.push_str("\\uFFFD"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A float in one of three forms: whole, nearly whole, other.
fn double(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    // What a C int holds; everything else turns into the smallest one.
    let whole = if float.abs() < 2_147_483_648.0 { float.trunc() + 0.0 } else { f64::from(i32::MIN) };
    if float == whole {
        format!("{float:.1}")
    } else if (float - whole).abs() < 0.000_000_1 {
        general(float)
    } else {
        format!("{float:.6}")
    }
}

/// `%.15g`.
fn general(float: f64) -> String {
    let scientific = format!("{float:.14e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |digits: &str| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    if (-4..15).contains(&exponent) {
        let places = usize::try_from(14 - exponent).unwrap_or(0);
        return trim(&format!("{float:.places$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
}
