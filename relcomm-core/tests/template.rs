//! Strict templates: values are text, and mistakes are named.

use proptest::prelude::*;
use relcomm_core::document::Document;
use relcomm_core::template::{Serde, TemplateError, TemplateOptions, Templates, Value};
use serde_json::json;

fn set(source: &str) -> Templates {
    let mut templates = Templates::new(TemplateOptions::default().zone(chrono_tz::Europe::London));
    templates.add("t", source).unwrap();
    templates
}

fn document(source: &str, values: serde_json::Value) -> Result<Document, TemplateError> {
    set(source).document("t", &Value::from(Serde(values)))
}

fn line(source: &str, values: serde_json::Value) -> Result<String, TemplateError> {
    set(source).line("t", &Value::from(Serde(values)))
}

/// HTML text as a browser would show it, tags dropped.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_person_called_like_markup_is_shown_as_they_are_called() {
    let document = document("Dear **{{ person }}**,", json!({"person": "[x](https://evil) *b* <b>"})).unwrap();
    assert_eq!(document.to_html(), "<p>Dear <strong>[x](https://evil) *b* &lt;b&gt;</strong>,</p>");
    assert_eq!(document.to_plain(), "Dear [x](https://evil) *b* <b>,");
    assert_eq!(document.to_short(), "Dear [x](https://evil) *b* <b>,");
}

#[test]
fn hostile_values_are_literal_wherever_they_stand() {
    let hostile = [
        "`code`",
        "](https://evil.example)",
        "<script>alert(1)</script>",
        "a\n\n# h\n\n- b\n> c",
        "a | b |\n|---|",
        "\u{fdd0}\u{fdd2}\u{fdd1}",
        "\u{fdd0}\u{fdd2}\u{fdd2}\u{fdd2}\u{fdd2}\u{fdd2}\u{fdd2}\u{fdd2}\u{fdd2}\u{fdd1}\u{fdef}",
        "\u{e000}1\u{e001}",
        "שלום \u{202e}abc",
        "😀 𝒳",
        "{{ other }} {% if x %}",
        "&lt;b&gt; &#x3c;",
        "\\*a\\*",
        "![i](https://evil.example/i.png)",
        "    indented",
        "--- ***",
        "1. one",
        "https://evil.example/ <https://evil.example>",
        "a\u{2028}b\u{85}c\u{b}d",
    ];
    let places = [
        "{{ v }}",
        "x {{ v }} y",
        "> {{ v }}",
        "**{{ v }}**",
        "`{{ v }}`",
        "# {{ v }}",
        "[{{ v }}](https://example.org)",
    ];
    for value in hostile {
        for place in places {
            let document = document(place, json!({"v": value})).unwrap();
            let plain_place = document_of_place(place, value);
            let html = document.to_html();
            assert_eq!(squeezed(&text_of(&html)), squeezed(&plain_place), "{place} {value:?}");
            let skeleton = |html: &str| {
                html.split('<')
                    .skip(1)
                    .map(|tag| tag.split('>').next().unwrap_or("").to_owned())
                    .filter(|tag| tag != "br")
                    .collect::<Vec<_>>()
            };
            let harmless = self::document(place, json!({"v": "harmless"})).unwrap().to_html();
            assert_eq!(skeleton(&html), skeleton(&harmless), "{place} {value:?}");
            assert!(squeezed(&document.to_short()).contains(&squeezed(&shown(value))), "{place} {value:?}");
        }
        let cell = document("| a | b |\n|---|---|\n| {{ v }} | z |", json!({"v": value})).unwrap();
        assert_eq!(cell.to_html().matches("<td>").count(), 2, "{value:?}");
        let item = document("- {{ v }}\n- z", json!({"v": value})).unwrap();
        assert_eq!(item.items(), 2, "{value:?}");
        let code = document("```\n{{ v }}\n```", json!({"v": value})).unwrap();
        assert_eq!(code.blocks().len(), 1, "{value:?}");
    }
}

fn shown(value: &str) -> String {
    value
        .chars()
        .map(|c| match c {
            '\u{2028}' | '\u{85}' | '\u{b}' => ' ',
            '\u{fdd0}'..='\u{fdef}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

fn document_of_place(place: &str, value: &str) -> String {
    match place {
        "x {{ v }} y" => format!("x {} y", shown(value)),
        _ => shown(value),
    }
}

#[test]
fn an_author_writes_markdown_around_values() {
    let values =
        json!({"release": {"product": "a_b_c", "what": [{"text": "one"}, {"text": "*two*"}]}, "n": 3, "yes": true});
    let source = "# {{ release.product }}\n\n{% for item in release.what %}\n- _{{ item.text }}_ {{ loop.index }}\n{% endfor %}\n\n{% if yes %}**{{ n }}** {{ yes }}{% endif %}";
    let document = document(source, values).unwrap();
    assert_eq!(
        document.to_html(),
        "<h1>a_b_c</h1>\n<ul>\n<li><em>one</em> 1</li>\n<li><em>*two*</em> 2</li>\n</ul>\n<p><strong>3</strong> true</p>"
    );
}

#[test]
fn empty_values_leave_no_empty_blocks() {
    let document = document("{{ a }}\n\n{{ b }}", json!({"a": "", "b": "x\n\ny\n"})).unwrap();
    assert_eq!(document.to_html(), "<p>x<br>\ny</p>");
}

#[test]
fn captured_text_stays_the_authors() {
    let values = json!({"v": "*v*"});
    let source = "{% macro hi(x) %}**{{ x }}**{% endmacro %}{% set s %}*{{ v }}*{% endset %}{{ hi(v) }} {{ s }} {{ [v, s] | join(', ') }}";
    let html = document(source, values.clone()).unwrap().to_html();
    assert_eq!(html, "<p><strong>*v*</strong> <em>*v*</em> *v*, <em>*v*</em></p>");
    for (source, why) in [
        ("{% set s %}{{ v }}{% endset %}{{ s | reverse }}", "taken apart"),
        ("{% set s %}a{{ v }}{% endset %}{{ s[2:] }}", "cannot be changed"),
        ("{% set s %}a{{ v }}{% endset %}{{ s ~ 'x' }}", "cannot be changed"),
        ("{% autoescape false %}{{ v }}{% endautoescape %}", "escaping"),
    ] {
        let err = document(source, values.clone()).unwrap_err();
        assert!(err.message().contains(why), "{source}: {err}");
    }
}

#[test]
fn link_addresses_are_encoded_and_checked() {
    let html = |source: &str, value: &str| document(source, json!({"v": value})).map(|document| document.to_html());
    let cases = [
        (
            "[x](https://example.org/{{ v }}?q={{ v }})",
            "a/b c&\"é",
            "https://example.org/a/b%20c%26%22%C3%A9?q=a%2Fb%20c%26%22%C3%A9",
        ),
        ("[x]({{ v }})", "https://example.org/?a=b&c", "https://example.org/?a=b&amp;c"),
        ("[x]({{ v }}/notes)", "https://example.org", "https://example.org/notes"),
        ("[x](https://{{ v }}/)", "a/b@evil.example", "https://a%2Fb%40evil.example/"),
        (
            "[x](mailto:{{ v }}?subject={{ v }})",
            "a+b@example.org",
            "mailto:a+b@example.org?subject=a%2Bb%40example.org",
        ),
        ("[x](tel:{{ v }})", "+41 44", "tel:+41%2044"),
        ("[x](mailto:{{ v }})", "a@b?bcc=c@d", "mailto:a@b%3Fbcc%3Dc@d"),
    ];
    for (source, value, to) in cases {
        assert_eq!(html(source, value).unwrap(), format!("<p><a href=\"{to}\">x</a></p>"), "{source}");
    }
    for (source, value) in [
        ("[x]({{ v }})", "javascript:alert(1)"),
        ("[x]({{ v }})", "https://a.example) [y](https://evil"),
        ("[x]({{ v }})", ""),
        ("[x]({{ v }}:alert(1))", "javascript"),
        ("[x](java{{ v }}:alert(1))", "script"),
        ("![x]({{ v }})", "data:image/svg+xml,x"),
    ] {
        let err = html(source, value).unwrap_err();
        assert!(err.message().contains("link address"), "{source} {err}");
        assert!(value.is_empty() || !err.to_string().contains(value), "{err}");
    }
}

#[test]
fn what_is_unknown_or_has_no_text_is_an_error() {
    let cases = [
        ("a\n  {{ releas.product }}", "t:2:6: unknown variable `releas`"),
        ("{{ release.prodct }}", "t:1:4: unknown variable `release.prodct`"),
        ("{{ nothing }}", "t:1:4: `nothing`: there is no value to print"),
        ("{{ list }}", "t:1:4: `list`: a list or map cannot be printed"),
        ("{{ release }}", "t:1:4: `release`: a list or map cannot be printed, only a part of it, such as `.product`"),
        ("{% for x in missing %}{% endfor %}", "t:1:13: unknown variable `missing`"),
        ("{% if missing %}{% endif %}", "t:1:7: unknown variable `missing`"),
        ("{{ nonsense() }}", "t:1:4: unknown function `nonsense`"),
        ("{{ debug() }}", "t:1:4: unknown function `debug`"),
    ];
    let values = json!({"release": {"product": "x"}, "nothing": null, "list": [1]});
    for (source, expected) in cases {
        assert_eq!(document(source, values.clone()).unwrap_err().to_string(), expected, "{source}");
    }
    assert_eq!(document("{% if x is defined %}a{% else %}b{% endif %}", values).unwrap().to_plain(), "b");
}

#[test]
fn what_cannot_be_parsed_is_refused_when_added() {
    let mut templates = Templates::new(TemplateOptions::default());
    for (source, line, column) in [
        ("a\n{{ b ", Some(2), None),
        ("{% if x %}", Some(1), None),
        ("é {% include 'x' %}", Some(1), Some(3)),
        ("a\n\n {%- import 'x' as y %}", Some(3), Some(2)),
        ("{% from 'x' import y %}", Some(1), Some(1)),
        ("{%extends 'x' %}", Some(1), Some(1)),
        ("a\u{fdd0}", Some(1), Some(2)),
        ("a\n{{ b | upper | nonsense }}", Some(2), Some(16)),
        ("{% filter pprint %}{% endfilter %}", Some(1), Some(11)),
        ("{{ b | safe }}", Some(1), Some(8)),
        ("{{ b | escape }}", Some(1), Some(8)),
    ] {
        let err = templates.add("t", source).unwrap_err();
        assert_eq!(err.name(), "t");
        assert_eq!(err.line(), line, "{err}");
        assert!(column.is_none() || err.column() == column, "{err}");
        assert!(!err.message().contains('\n'), "{err}");
    }
    assert!(templates.names().is_empty());
    assert_eq!(templates.document("t", &Value::UNDEFINED).unwrap_err().to_string(), "t: no such template");
    assert!(templates.uses("t").is_err());
}

#[test]
fn endless_templates_stop() {
    let values = json!({});
    let err = document("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", values.clone())
        .unwrap_err();
    assert_eq!(err.message(), "the template takes too many steps");
    let err = document("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", values).unwrap_err();
    assert!(!err.message().is_empty());
    let err = document("{% for a in range(2000) %}{{ v }}{% endfor %}", json!({"v": "x".repeat(1000)})).unwrap_err();
    assert!(err.message().contains("too long"), "{err}");
}

#[test]
fn what_a_template_uses_is_listed() {
    let templates =
        set("{{ release.product }}{% for item in release.what %}{{ item.text }}{% endfor %}{{ item.csv_v1_off }}\
         [x]({{ told.out.users.url }}){% if params.x is defined %}{{ lang }}{% endif %}{% set y = person.name %}{{ y }}\
         {{ range(3) | length }}{{ place.declared_at | time(zone=person.zone) }}{{ group[\"id\"] }}");
    let uses: Vec<String> = templates.uses("t").unwrap().into_iter().collect();
    let expected = [
        "group",
        "item.csv_v1_off",
        "lang",
        "params.x",
        "person.name",
        "person.zone",
        "place.declared_at",
        "release.product",
        "release.what",
        "told.out.users.url",
    ];
    assert_eq!(uses, expected);
}

#[test]
fn a_line_is_literal_and_holds_no_control_character() {
    let subject = "  {{ v }} is *live* & <b>\n";
    assert_eq!(line(subject, json!({"v": "**Ann** \u{fdd0}"})).unwrap(), "**Ann** \u{fffd} is *live* & <b>");
    for (value, name) in [
        ("a\r\nBcc: x@example.org", "a carriage return (U+000D)"),
        ("a\n", "a line feed (U+000A)"),
        ("\0", "NUL (U+0000)"),
        ("\u{1b}[2J", "an escape (U+001B)"),
        ("\t", "a tab (U+0009)"),
        ("\u{7f}", "a control character (U+007F)"),
        ("\u{2028}", "a line separator (U+2028)"),
    ] {
        let err = line("{{ v }}", json!({"v": value})).unwrap_err();
        assert_eq!(err.to_string(), format!("t: one line cannot hold {name}"), "{value:?}");
    }
    assert!(line("a\nb", json!({})).is_err());
}

#[test]
fn instants_are_printed_in_the_zone_and_say_so() {
    let at = |source: &str, instant: &str| line(source, json!({"at": instant, "zone": "Europe/Zurich"}));
    for (source, instant, expected) in [
        ("{{ at | date }}", "2027-05-12T06:00:00Z", "12 May 2027"),
        ("{{ at | time }}", "2027-05-12T06:00:00Z", "07:00 BST"),
        ("{{ at | date('%d.%m.%Y') }}", "2027-05-12T23:30:00Z", "13.05.2027"),
        ("{{ at | date('%Y-%m-%d', zone='UTC') }}", "2027-05-12T23:30:00Z", "2027-05-12"),
        ("{{ at | datetime }}", "2027-05-12T06:00:00Z", "12 May 2027, 07:00 BST"),
        ("{{ at | datetime }}", "2027-01-02T06:05:59.999+01:00", "2 January 2027, 05:05 GMT"),
        ("{{ at | datetime(zone='Europe/Zurich') }}", "2027-05-12T23:30:00Z", "13 May 2027, 01:30 CEST"),
        ("{{ at | time(zone=zone) }}", "2027-01-12T06:00:00Z", "07:00 CET"),
        ("{{ at | time(zone='America/Sao_Paulo') }}", "2027-01-12T06:00:00Z", "03:00 UTC-03:00"),
        ("{{ at | time(zone='Asia/Kathmandu') }}", "2027-01-12T06:00:00Z", "11:45 UTC+05:45"),
        ("{{ at | time }}", "2027-10-31T00:30:00Z", "01:30 BST"),
        ("{{ at | time }}", "2027-10-31T01:30:00Z", "01:30 GMT"),
    ] {
        assert_eq!(at(source, instant).unwrap(), expected, "{source} {instant}");
    }
    for (source, instant, expected) in [
        ("{{ at | time }}", "12 May, Ann", "`at | time`: not an instant in RFC 3339"),
        ("{{ at | date }}", "2027-05-12", "`at | date`: not an instant in RFC 3339"),
        (
            "{{ at | date('%H:%M') }}",
            "2027-05-12T06:00:00Z",
            "`at | date('%H:%M')`: not a form of a date such as `%d.%m.%Y`",
        ),
        ("{{ at | date('%é') }}", "2027-05-12T06:00:00Z", "`at | date('%é')`: not a form of a date such as `%d.%m.%Y`"),
        ("{{ at | date(zone='Mars') }}", "2027-05-12T06:00:00Z", "`at | date(zone='Mars')`: unknown time zone"),
    ] {
        assert_eq!(at(source, instant).unwrap_err().message(), expected);
    }
    assert!(at("{{ at | date(zon='UTC') }}", "2027-05-12T06:00:00Z").is_err());
    assert_eq!(at("{{ missing | date }}", "x").unwrap_err().message(), "`missing | date`: unknown variable");
}

#[test]
fn sets_are_shared_by_threads_and_agree() {
    fn shareable<T: Send + Sync>(_: &T) {}
    let templates = set("{{ v }} **{{ v }}**");
    shareable(&templates);
    let values = Value::from(Serde(json!({"v": "x"})));
    let plain: Vec<String> = std::thread::scope(|scope| {
        let rendering: Vec<_> =
            (0..4).map(|_| scope.spawn(|| templates.document("t", &values).unwrap().to_plain())).collect();
        rendering.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(plain, ["x x"; 4]);
    assert_eq!(set("{{ v }} **{{ v }}**").document("t", &values).unwrap().to_html(), "<p>x <strong>x</strong></p>");
}

proptest! {
    #[test]
    fn any_value_arrives_literally(value in any::<String>(), hostile in "[ \\n#>*_`|\\-+<>\\[\\]()!&;:\"'\\\\/a\\u{fdd0}-\\u{fddf}]{0,40}") {
        for value in [value, hostile] {
            let rendered = document("Dear {{ v }}, **hello**", json!({"v": value})).unwrap();
            let line_end = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
            let replaced = |c: char| c.is_control() || ('\u{fdd0}'..='\u{fdef}').contains(&c);
            let expected: String = value
                .trim_matches(line_end)
                .chars()
                .map(|c| if c.is_whitespace() { ' ' } else if replaced(c) { '\u{fffd}' } else { c })
                .collect();
            let expected = squeezed(&format!("Dear {expected}, hello"));
            prop_assert_eq!(squeezed(&rendered.to_plain()), expected.clone());
            prop_assert_eq!(rendered.to_short(), expected.clone());
            let html = rendered.to_html();
            prop_assert_eq!(squeezed(&text_of(&html)), expected);
            let bare = html.replace("<p>", "").replace("</p>", "").replace("<br>", "").replace("<strong>", "").replace("</strong>", "");
            prop_assert!(!bare.contains(['<', '>']), "{}", html);
        }
    }
}
