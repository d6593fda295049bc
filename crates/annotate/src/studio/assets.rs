//! What pages load beside themselves: one style sheet, scripts and a mark, all inside the program.
//!
//! Their folder's name is a hash over all of them, so browsers may keep them for ever and a new version of Nomen is never
//! shown with the script of an old one. Scripts import each other by relative paths, which therefore hold.

/// A file that pages load.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its name in the folder.
    pub name: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// What it holds.
    pub body: &'static str,
}

macro_rules! asset {
    ($name:literal, $kind:expr) => {
        Asset { name: $name, kind: $kind, body: include_str!(concat!("assets/", $name)) }
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every file.
pub const ALL: [Asset; 23] = [
    asset!("studio.css", "text/css; charset=utf-8"),
    asset!("nomen.svg", "image/svg+xml"),
    asset!("studio.js", SCRIPT),
    asset!("actions.js", SCRIPT),
    asset!("annotate.js", SCRIPT),
    asset!("conflict.js", SCRIPT),
    asset!("data.js", SCRIPT),
    asset!("draft.js", SCRIPT),
    asset!("editor.js", SCRIPT),
    asset!("find.js", SCRIPT),
    asset!("keys.js", SCRIPT),
    asset!("marks.js", SCRIPT),
    asset!("mouse.js", SCRIPT),
    asset!("note.js", SCRIPT),
    asset!("origins.js", SCRIPT),
    asset!("panels.js", SCRIPT),
    asset!("quality.js", SCRIPT),
    asset!("review.js", SCRIPT),
    asset!("runs.js", SCRIPT),
    asset!("saving.js", SCRIPT),
    asset!("surface.js", SCRIPT),
    asset!("text.js", SCRIPT),
    asset!("upload.js", SCRIPT),
];

/// The hash over all files, FNV-1a with 64 bits.
const VERSION: u64 = {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut file = 0;
    while file < ALL.len() {
        let bytes = ALL[file].body.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        file += 1;
    }
    hash
};

/// The path of a file, such as `/assets/9f86d081884c7d65/studio.css`.
pub fn path(name: &str) -> String {
    format!("/assets/{VERSION:016x}/{name}")
}

/// The file at a path as [`path`] writes it; `None` where there is none, or the path is of another version.
pub fn find(path: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| self::path(asset.name) == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_at_its_path_and_nowhere_else() {
        for asset in &ALL {
            assert_eq!(find(&path(asset.name)).unwrap().name, asset.name);
            assert!(find(&format!("/assets/0000000000000000/{}", asset.name)).is_none());
        }
        assert!(find("/assets/studio.css").is_none());
    }

    #[test]
    fn what_a_script_imports_is_there() {
        for asset in ALL.iter().filter(|asset| asset.kind == SCRIPT) {
            for import in asset.body.split("from \"./").skip(1) {
                let name = import.split('"').next().unwrap();
                assert!(ALL.iter().any(|other| other.name == name), "{} imports {name}", asset.name);
            }
        }
    }

    #[test]
    fn nothing_asks_the_network() {
        for asset in &ALL {
            let address = asset.body.replace("http://www.w3.org/2000/svg", "");
            assert!(!address.contains("http:") && !address.contains("https:"), "{} names an address", asset.name);
        }
    }
}
