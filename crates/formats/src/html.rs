//! Text as HTML, and HTML as text, for targets that take the one for the other.

/// A text in which HTML finds nothing to interpret.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A text of several lines as paragraphs; nothing for an empty text.
pub fn paragraphs(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let inside = escaped(text).replace("\n\n", "</p><p>").replace('\n', "<br>");
    format!("<p>{inside}</p>")
}

/// The text of HTML: paragraphs are parted by an empty line, other markup is left out.
pub fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut is_after_paragraph = false;
    while let Some(at) = rest.find(['<', '&']) {
        push(&mut out, &rest[..at], &mut is_after_paragraph);
        rest = &rest[at..];
        let used = if rest.starts_with('<') {
            tag(rest).map(|(name, used)| {
                match name.as_str() {
                    "br" => push(&mut out, "\n", &mut is_after_paragraph),
                    "p" if is_after_paragraph => {
                        out.push_str("\n\n");
                        is_after_paragraph = false;
                    }
                    "/p" => is_after_paragraph = true,
                    _ => {}
                }
                used
            })
        } else {
            entity(rest).map(|(c, used)| {
                push(&mut out, c.encode_utf8(&mut [0; 4]), &mut is_after_paragraph);
                used
            })
        };
        let used = used.unwrap_or_else(|| {
            push(&mut out, &rest[..1], &mut is_after_paragraph);
            1
        });
        rest = &rest[used..];
    }
    push(&mut out, rest, &mut is_after_paragraph);
    out
}

/// Whether HTML says more than its text: links, emphasis, pictures.
pub fn has_markup(html: &str) -> bool {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        match tag(rest) {
            Some((name, _)) if !matches!(name.as_str(), "br" | "p" | "/p") => return true,
            Some((_, used)) => rest = &rest[used..],
            None => rest = &rest[1..],
        }
    }
    false
}

fn push(out: &mut String, text: &str, is_after_paragraph: &mut bool) {
    // White space between paragraphs is nobody's text.
    if *is_after_paragraph && !text.trim().is_empty() {
        out.push_str("\n\n");
        *is_after_paragraph = false;
    }
    if !*is_after_paragraph {
        out.push_str(text);
    }
}

/// The lower-case name of the tag that a text begins with, and its length.
fn tag(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix('<')?;
    // A tag that goes on behind another one's beginning is none; so no text is looked through twice.
    let end = inside.find(['>', '<']).filter(|end| inside[*end..].starts_with('>'))?;
    let name: String =
        inside[..end].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '!')).collect();
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    let begins = name.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic() || c == '!');
    begins.then_some((name, end + 2))
}

/// The character that an entity stands for, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let inside = text.strip_prefix('&')?;
    let end = inside.bytes().take(10).position(|byte| byte == b';')?;
    let name = &inside[..end];
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(&hex[1..], 16)?,
            digits => number(digits, 10)?,
        },
    };
    Some((c, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_from_its_html() {
        for text in
            ["", "a", "a\nb", "a\n\nb", "a\n\n\nb", "\na\n", "<b> & \"c\" 'd' &lt; &#39;", "a\n\n", " \n\n "]
        {
            let html = paragraphs(text);
            assert!(!has_markup(&html), "{html}");
            assert_eq!(plain(&html), text, "{html}");
        }
    }

    #[test]
    fn the_html_of_others_becomes_text() {
        let check = |html: &str, expect: &str| assert_eq!(plain(html), expect, "{html}");
        check(
            "<p class=\"x\">One <a href=\"https://x.org\">link</a>.</p>\n <P>Two<br/>lines</P>",
            "One link.\n\nTwo\nlines",
        );
        check("2 < 3 &amp; 5 > 4 &c; &#233; &#xe9; &nope; &", "2 < 3 & 5 > 4 &c; é é &nope; &");
        check("a<!-- no -->b<", "ab<");
        assert!(has_markup("a <i>b</i>") && !has_markup("a < b > c"));
    }
}
