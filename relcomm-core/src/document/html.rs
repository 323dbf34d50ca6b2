//! The HTML form.

use super::{Block, Document, Inline, Shared, is_tight, shown};
use std::sync::Arc;

impl Document {
    /// An HTML fragment: no document element, no style, no script; all text escaped.
    ///
    /// Follows the [HTML standard](https://html.spec.whatwg.org/); link destinations are [`Destination`]s, so no other
    /// scheme can occur.
    ///
    /// [`Destination`]: super::Destination
    #[must_use]
    pub fn to_html(&self) -> String {
        let html = |shared: &'_ Arc<Shared>| {
            let mut out = String::new();
            block(&shared.block, &mut out);
            out
        };
        let blocks: Vec<&str> =
            self.blocks.iter().map(|shared| shared.html.get_or_init(|| html(shared)).as_str()).collect();
        blocks.join("\n")
    }
}

fn blocks(blocks: &[Block], out: &mut String) {
    for (i, each) in blocks.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        block(each, out);
    }
}

fn block(block: &Block, out: &mut String) {
    match block {
        Block::Heading { level, inlines: words } => {
            let level = (*level).clamp(1, 6);
            out.push_str(&format!("<h{level}>"));
            inlines(words, out);
            out.push_str(&format!("</h{level}>"));
        }
        Block::Paragraph(words) => {
            out.push_str("<p>");
            inlines(words, out);
            out.push_str("</p>");
        }
        Block::List { start, items } => list(*start, items, out),
        Block::Quote(inner) => {
            out.push_str("<blockquote>\n");
            blocks(inner, out);
            out.push_str("\n</blockquote>");
        }
        Block::Code { language, text } => {
            let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '_' | '#');
            match language.as_deref().filter(|language| !language.is_empty() && language.chars().all(word)) {
                Some(language) => out.push_str(&format!("<pre><code class=\"language-{language}\">")),
                None => out.push_str("<pre><code>"),
            }
            escape(text, out);
            out.push_str("</code></pre>");
        }
        Block::Rule => out.push_str("<hr>"),
        Block::Table { header, rows } => {
            out.push_str("<table>\n");
            if !header.is_empty() {
                out.push_str("<thead>");
                row(header, "th", out);
                out.push_str("</thead>\n");
            }
            out.push_str("<tbody>");
            for cells in rows {
                row(cells, "td", out);
            }
            out.push_str("</tbody>\n</table>");
        }
    }
}

fn list(start: Option<u64>, items: &[Vec<Block>], out: &mut String) {
    let name = if start.is_some() { "ol" } else { "ul" };
    match start {
        Some(first) if first != 1 => out.push_str(&format!("<ol start=\"{first}\">\n")),
        _ => out.push_str(&format!("<{name}>\n")),
    }
    let tight = is_tight(items);
    for item in items {
        out.push_str("<li>");
        match item.split_first() {
            Some((Block::Paragraph(words), rest)) if tight => {
                inlines(words, out);
                if !rest.is_empty() {
                    out.push('\n');
                    blocks(rest, out);
                }
            }
            _ => blocks(item, out),
        }
        out.push_str("</li>\n");
    }
    out.push_str(&format!("</{name}>"));
}

fn row(cells: &[Vec<Inline>], name: &str, out: &mut String) {
    out.push_str("<tr>");
    for cell in cells {
        out.push_str(&format!("<{name}>"));
        inlines(cell, out);
        out.push_str(&format!("</{name}>"));
    }
    out.push_str("</tr>");
}

fn inlines(all: &[Inline], out: &mut String) {
    for inline in all {
        match inline {
            Inline::Text(text) => escape(text, out),
            Inline::Strong(inner) => {
                out.push_str("<strong>");
                inlines(inner, out);
                out.push_str("</strong>");
            }
            Inline::Emphasis(inner) => {
                out.push_str("<em>");
                inlines(inner, out);
                out.push_str("</em>");
            }
            Inline::Code(text) => {
                out.push_str("<code>");
                escape(text, out);
                out.push_str("</code>");
            }
            Inline::Link { to, inlines: words } => {
                out.push_str("<a href=\"");
                escape(to.as_str(), out);
                out.push_str("\">");
                if words.is_empty() {
                    escape(to.shown(), out);
                } else {
                    inlines(words, out);
                }
                out.push_str("</a>");
            }
            Inline::Break => out.push_str("<br>\n"),
        }
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(shown(c)),
        }
    }
}
