//! Where something is said, in one line.

use annals_model::Source;

/// A source with its quotation first: `“…” – title, par. 9, 2023-11-13, https://…`.
pub fn cited(source: &Source) -> String {
    let date = source.date.as_ref().map(ToString::to_string);
    let archived = source.archived.as_ref().map(|url| format!("archived at {url}"));
    let fields = [&source.title, &source.locator, &date, &source.url, &archived];
    let cited: Vec<&str> = fields.into_iter().flatten().map(String::as_str).collect();
    let quote = source.quote.as_ref().map(|quote| format!("“{quote}”"));
    let cited = Some(cited.join(", ")).filter(|cited| !cited.is_empty());
    let line: Vec<String> = quote.into_iter().chain(cited).collect();
    line.join(" – ")
}
