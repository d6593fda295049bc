//! How a place is shown.

use corpus::check::{Data, Place};

/// File and line, or what else is known of where it is.
pub fn place(data: &Data<'_>, place: &Place) -> String {
    let Some(file) = data.files.get(place.file) else { return String::new() };
    let path = file.path.display();
    let document = place.document.and_then(|index| Some((index + 1, file.documents.get(index)?)));
    let name = document.and_then(|(_, document)| document.id.as_deref()).map(|id| format!(" ({})", id.escape_debug()));
    let name = name.unwrap_or_default();
    match (place.line, document) {
        (Some(line), _) => format!("{path}:{line}{name}"),
        (None, Some((number, _))) => format!("{path}, document {number}{name}"),
        (None, None) => path.to_string(),
    }
}
