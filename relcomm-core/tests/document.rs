//! Every kind of block in the three forms.

use proptest::prelude::*;
use relcomm_core::document::{Block, Destination, Document, DocumentError, Inline, MAX_SOURCE};

fn forms(markdown: &str) -> (String, String, String) {
    let document = Document::from_markdown(markdown).unwrap();
    (document.to_html(), document.to_plain(), document.to_short())
}

#[track_caller]
fn shows(markdown: &str, html: &str, plain: &str, short: &str) {
    let (h, p, s) = forms(markdown);
    assert_eq!((h.as_str(), p.as_str(), s.as_str()), (html, plain, short));
}

#[test]
fn headings() {
    shows("# Live *now*", "<h1>Live <em>now</em></h1>", "Live now\n========", "Live now");
    shows("## What\n\nAll.", "<h2>What</h2>\n<p>All.</p>", "What\n----\n\nAll.", "What: All.");
    shows("### Why?\n\nAll.", "<h3>Why?</h3>\n<p>All.</p>", "Why?\n\nAll.", "Why? All.");
    shows("####### seven", "<p>####### seven</p>", "####### seven", "####### seven");
}

#[test]
fn paragraphs_and_inlines() {
    shows(
        "One\ntwo  \nthree **bold** `a < b`.",
        "<p>One two<br>\nthree <strong>bold</strong> <code>a &lt; b</code>.</p>",
        "One two\nthree bold a < b.",
        "One two three bold a < b.",
    );
}

#[test]
fn links_keep_four_schemes_only() {
    shows(
        "[notes](https://example.org/7?a=1&b=2) <https://example.org> [ask](mailto:a@example.org) [call](tel:+41441234567)",
        "<p><a href=\"https://example.org/7?a=1&amp;b=2\">notes</a> <a href=\"https://example.org\">https://example.org</a> \
         <a href=\"mailto:a@example.org\">ask</a> <a href=\"tel:+41441234567\">call</a></p>",
        "notes (https://example.org/7?a=1&b=2) https://example.org ask\n(a@example.org) call (+41441234567)",
        "notes (https://example.org/7?a=1&b=2) https://example.org ask (a@example.org) call (+41441234567)",
    );
    for address in [
        "javascript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "/relative",
        "//host",
        "https:x",
        "http://",
    ] {
        shows(&format!("[word]({address})"), "<p>word</p>", "word", "word");
    }
    assert!(Destination::parse("https://a\nb").is_none());
    assert!(Destination::parse("https://a\"onclick=").is_none());
    assert!(Destination::parse("HTTPS://EXAMPLE.ORG").is_some());
}

#[test]
fn lists() {
    shows(
        "- one\n- two **b**\n  - inner",
        "<ul>\n<li>one</li>\n<li>two <strong>b</strong>\n<ul>\n<li>inner</li>\n</ul></li>\n</ul>",
        "- one\n- two b\n  - inner",
        "one; two b inner",
    );
    shows("9. nine\n10. ten", "<ol start=\"9\">\n<li>nine</li>\n<li>ten</li>\n</ol>", "9.  nine\n10. ten", "nine; ten");
    shows(
        "1. a\n\n   b\n2. c",
        "<ol>\n<li><p>a</p>\n<p>b</p></li>\n<li><p>c</p></li>\n</ol>",
        "1. a\n\n   b\n\n2. c",
        "a b; c",
    );
}

#[test]
fn quotes_code_rules() {
    shows(
        "> said\n>\n> twice",
        "<blockquote>\n<p>said</p>\n<p>twice</p>\n</blockquote>",
        "> said\n>\n> twice",
        "said twice",
    );
    shows(
        "```sh extra\ncargo add x@1 && y\n\n  <b>\n```",
        "<pre><code class=\"language-sh\">cargo add x@1 &amp;&amp; y\n\n  &lt;b&gt;</code></pre>",
        "    cargo add x@1 && y\n\n      <b>",
        "cargo add x@1 && y <b>",
    );
    shows("a\n\n---\n\nb", "<p>a</p>\n<hr>\n<p>b</p>", "a\n\n* * *\n\nb", "a b");
}

#[test]
fn tables() {
    shows(
        "| place | when |\n|---|---|\n| eu | **07:00** |\n| us-west | 09:00 |",
        "<table>\n<thead><tr><th>place</th><th>when</th></tr></thead>\n<tbody><tr><td>eu</td><td><strong>07:00</strong></td></tr>\
         <tr><td>us-west</td><td>09:00</td></tr></tbody>\n</table>",
        "place   | when\n--------|------\neu      | 07:00\nus-west | 09:00",
        "place, when; eu, 07:00; us-west, 09:00",
    );
}

#[test]
fn a_long_cell_does_not_lengthen_other_rows() {
    let long = "x".repeat(500);
    let plain = forms(&format!("| a | b |\n|---|---|\n| {long} | c |\n| d | e |")).1;
    let lengths: Vec<usize> = plain.lines().map(|line| line.chars().count()).collect();
    assert_eq!(lengths, [44, 44, 504, 44]);
}

#[test]
fn html_is_literal_and_images_are_links() {
    shows(
        "a <b onclick=x>c</b>\n\n<script>\nalert(1)\n</script>",
        "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;</p>\n<p>&lt;script&gt;<br>\nalert(1)<br>\n&lt;/script&gt;</p>",
        "a <b onclick=x>c</b>\n\n<script>\nalert(1)\n</script>",
        "a <b onclick=x>c</b> <script> alert(1) </script>",
    );
    shows(
        "![a chart](https://example.org/c.png)",
        "<p><a href=\"https://example.org/c.png\">a chart</a></p>",
        "a chart (https://example.org/c.png)",
        "a chart (https://example.org/c.png)",
    );
    shows(
        "[![badge](https://example.org/b.svg)](https://example.org/ci)",
        "<p><a href=\"https://example.org/ci\">badge</a></p>",
        "badge (https://example.org/ci)",
        "badge (https://example.org/ci)",
    );
}

#[test]
fn plain_text_is_wrapped_but_addresses_are_not() {
    let address = format!("https://example.org/{}", "a".repeat(90));
    let plain = forms(&format!("{} {address} end", "word ".repeat(30))).1;
    let lines: Vec<&str> = plain.lines().collect();
    assert!(lines.contains(&address.as_str()));
    assert!(lines.iter().filter(|line| **line != address).all(|line| line.chars().count() <= 72));
    let exact = format!("{} {}", "a".repeat(40), "b".repeat(31));
    assert_eq!(forms(&exact).1.lines().count(), 1);
    assert_eq!(forms(&format!("{exact}b")).1.lines().count(), 2);
}

#[test]
fn control_characters_never_act() {
    let text = Inline::Text("a\u{1b}[31m\0\r\u{85}b".to_owned());
    let document = Document::new(vec![
        Block::Paragraph(vec![text.clone()]),
        Block::Code { language: Some("\"x".to_owned()), text: "\u{1b}c".to_owned() },
        Block::Heading { level: 99, inlines: vec![text] },
    ]);
    for form in [document.to_html(), document.to_plain(), document.to_short()] {
        assert!(form.chars().all(|c| c == '\n' || !c.is_control()), "{form:?}");
        assert!(form.contains("\u{fffd}[31m"), "{form:?}");
    }
    assert!(document.to_html().contains("<pre><code>\u{fffd}c</code></pre>\n<h6>"));
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!("{} core", ">".repeat(5000));
    let (html, plain, short) = forms(&deep);
    assert_eq!(html.matches("<blockquote>").count(), 32);
    assert!(plain.ends_with("core") && short == "core");
    let lists: String = (0..60).map(|i| format!("{}- i{i}\n", "  ".repeat(i))).collect();
    let short = forms(&lists).2;
    for i in 0..60 {
        assert!(short.contains(&format!("i{i}")), "{i}");
    }
    let emphasis = format!("{}x{}", "*a **b ".repeat(3000), "** *".repeat(3000));
    assert!(forms(&emphasis).1.contains('x'));

    let longest = "a".repeat(MAX_SOURCE);
    assert!(Document::from_markdown(&longest).is_ok());
    let length = MAX_SOURCE + 1;
    assert_eq!(Document::from_markdown(&format!("{longest}a")), Err(DocumentError::TooLong { length }));
}

#[test]
fn repetitive_sources_do_not_stall() {
    for part in ["[", "*a ", "`", "<", "![", "> - ", "|a", "\\", "&", "[a](", "**a", "- \n", "_a*"] {
        let source = part.repeat(60_000 / part.len());
        let document = Document::from_markdown(&source).unwrap();
        assert!(
            document.to_html().len() + document.to_plain().len() + document.to_short().len() < 100 * source.len(),
            "{part}"
        );
    }
}

#[test]
fn what_shows_nothing_leaves_nothing() {
    shows("", "", "", "");
    shows("  \n\n", "", "", "");
    assert_eq!(Document::from_markdown("- a\n- b\n\nc").unwrap().items(), 3);
    let unending = Block::List { start: Some(u64::MAX), items: vec![vec![], vec![Block::Rule]] };
    assert_eq!(Document::new(vec![unending]).to_plain().lines().count(), 3);
}

#[test]
fn debug_does_not_show_the_text() {
    let document = Document::from_markdown("Dear Ann").unwrap();
    assert!(!format!("{document:?}").contains("Ann"));
}

/// Tags a fragment may hold; anything else that begins with `<` came from the text.
fn only_known_tags(html: &str) -> bool {
    let names = [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "hr",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "strong",
        "em",
        "a",
        "br",
    ];
    html.split('<').skip(1).all(|rest| {
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        names.contains(&name)
    })
}

proptest! {
    #[test]
    fn any_markdown_renders_without_harm(
        source in "([ \\n#>*_`|\\-+<>\\[\\]()!&;:\"'\\\\/~=.0-9a-c]|<script>|javascript:|\\]\\(|\\PC){0,200}"
    ) {
        let document = Document::from_markdown(&source).unwrap();
        let html = document.to_html();
        prop_assert!(only_known_tags(&html), "{}", html);
        prop_assert!(!html.contains("href=\"javascript"), "{}", html);
        prop_assert!(!document.to_short().contains('\n'));
        prop_assert!(document.to_plain().lines().all(|line| line == line.trim_end_matches(' ')));
    }
}
