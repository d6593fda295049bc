//! The colours of labels, as a style sheet: pages may not carry styles of their own.
//!
//! A label has two colours in each theme: `fill` behind its entities, on which the text stays readable, and `ink` for its
//! name and for lines, with a contrast of at least 4.5 on `fill` (WCAG 2.2, 1.4.3), whatever colour the schema names.

use std::fmt::Write as _;

use schema::Schema;

/// Red, green and blue, 0 to 255.
type Rgb = [f64; 3];

/// Surfaces that entities stand on; the style sheet has the same.
const LIGHT_CARD: Rgb = [255.0, 255.0, 255.0];
const DARK_CARD: Rgb = [27.0, 31.0, 38.0];
/// How much of the label's colour is in its fill.
const LIGHT_TINT: f64 = 0.17;
const DARK_TINT: f64 = 0.3;
/// WCAG's level AA for text.
const CONTRAST: f64 = 4.5;

/// What labels get that have no colour of their own, in order of the schema.
const PALETTE: [u32; 12] = [
    0x2f_6f_db, 0xd9_48_0f, 0x2b_8a_3e, 0x9c_36_b5, 0xb0_89_00, 0x0b_8a_9e, 0xc9_2a_5a, 0x5f_3d_c4, 0x7a_4b_1e,
    0x5c_94_0d, 0xe0_31_31, 0x56_65_78,
];

/// The class of a label on a page; labels that the schema does not have share one.
pub fn class(schema: &Schema, label: &str) -> String {
    schema.position(label).map_or_else(|| "label-other".to_owned(), |position| format!("label-{position}"))
}

/// The style sheet of a schema: a class for each label by its position, and `label-other`.
pub fn style_sheet(schema: &Schema) -> String {
    let mut sheet = String::new();
    for (position, definition) in schema.definitions().iter().enumerate() {
        let colour = parse(&definition.colour).unwrap_or_else(|| default(position));
        rule(&mut sheet, &format!("label-{position}"), colour);
    }
    rule(&mut sheet, "label-other", [120.0, 120.0, 120.0]);
    sheet
}

fn rule(sheet: &mut String, class: &str, colour: Rgb) {
    let light = mix(colour, LIGHT_CARD, LIGHT_TINT);
    let dark = mix(colour, DARK_CARD, DARK_TINT);
    let (light_ink, dark_ink) = (ink(colour, light, [0.0; 3]), ink(colour, dark, [255.0; 3]));
    // Custom properties of the root, too: a piece of text can lie under several labels.
    let _ = writeln!(
        sheet,
        ":root{{--{class}-fill:light-dark({},{});--{class}-ink:light-dark({},{})}}\
         .{class}{{--fill:var(--{class}-fill);--ink-of:var(--{class}-ink)}}",
        hex(light),
        hex(dark),
        hex(light_ink),
        hex(dark_ink)
    );
}

/// The colour itself where it can be read on `fill`, else as little nearer to `end` as is enough.
fn ink(colour: Rgb, fill: Rgb, end: Rgb) -> Rgb {
    (0..=20)
        .map(|step| mix(end, colour, f64::from(step) / 20.0))
        // What a browser shows is rounded, so what is rounded must be enough.
        .find(|ink| contrast(ink.map(f64::round), fill.map(f64::round)) >= CONTRAST)
        .unwrap_or(end)
}

/// So much of one colour in another.
fn mix(of: Rgb, into: Rgb, share: f64) -> Rgb {
    [0, 1, 2].map(|part| of[part] * share + into[part] * (1.0 - share))
}

/// WCAG's contrast ratio, 1 to 21.
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG's relative luminance, 0 to 1.
fn luminance(colour: Rgb) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = part / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The palette, then hues that never repeat (the golden angle apart).
fn default(position: usize) -> Rgb {
    if let Some(colour) = PALETTE.get(position) {
        return rgb(*colour);
    }
    let hue = (position as f64 * 137.508).rem_euclid(360.0) / 60.0;
    // HSV with saturation 0.75 and value 0.78.
    let channel = |offset: f64| {
        let at = (offset + hue).rem_euclid(6.0);
        0.78 * (1.0 - 0.75 * at.min(4.0 - at).clamp(0.0, 1.0)) * 255.0
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

fn parse(colour: &str) -> Option<Rgb> {
    let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    u32::from_str_radix(digits, 16).ok().map(rgb)
}

fn rgb(colour: u32) -> Rgb {
    [16, 8, 0].map(|shift| f64::from((colour >> shift) & 0xff))
}

fn hex(colour: Rgb) -> String {
    let [red, green, blue] = colour.map(|part| part.round() as u8);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schema::{Label, LabelDefinition};

    use super::*;

    /// The ink of running text; the style sheet has the same.
    const LIGHT_INK: Rgb = [28.0, 35.0, 48.0];
    const DARK_INK: Rgb = [230.0, 232.0, 236.0];

    proptest! {
        #[test]
        fn text_and_names_can_be_read_on_every_colour(colour in 0_u32..=0x00ff_ffff) {
            let colour = rgb(colour);
            let (light, dark) = (mix(colour, LIGHT_CARD, LIGHT_TINT), mix(colour, DARK_CARD, DARK_TINT));
            prop_assert!(contrast(LIGHT_INK, light) >= CONTRAST);
            prop_assert!(contrast(DARK_INK, dark) >= CONTRAST);
            prop_assert!(contrast(ink(colour, light, [0.0; 3]), light) >= CONTRAST - 0.05);
            prop_assert!(contrast(ink(colour, dark, [255.0; 3]), dark) >= CONTRAST - 0.05);
        }
    }

    #[test]
    fn contrast_is_that_of_the_specification() {
        assert!((contrast([0.0; 3], [255.0; 3]) - 21.0).abs() < 1e-9);
        // #767676 on white is the lightest grey that passes.
        assert!((contrast(rgb(0x0076_7676), [255.0; 3]) - 4.54).abs() < 0.01);
    }

    #[test]
    fn a_label_keeps_the_colour_that_its_schema_names() {
        let named =
            LabelDefinition { colour: "#0b5394".into(), ..LabelDefinition::undefined(Label::new("A").unwrap()) };
        let sheet = style_sheet(&Schema::new(vec![named]).unwrap());
        assert!(sheet.contains("--label-0-ink:light-dark(#0b5394,"), "{sheet}");
        assert!(sheet.contains(".label-other{"));
    }

    #[test]
    fn forty_labels_have_forty_colours() {
        let colours: std::collections::HashSet<String> = (0..40).map(|position| hex(default(position))).collect();
        assert_eq!(colours.len(), 40);
    }
}
