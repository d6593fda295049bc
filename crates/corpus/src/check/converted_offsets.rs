//! Q003: offsets that count something else than the format says.

use super::{Check, Data, Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "Q003",
    name: "converted-offsets",
    severity: Severity::Note,
    what: "A document whose quoted texts prove that its offsets count UTF-16 units or bytes where the format counts \
           code points. The reader converted them.",
    why: "Nothing is wrong in Nomen, but a tool that believes the format shifts every entity behind the first emoji.",
    fix: "Write the file again with Nomen; its offsets count code points.",
    command: Some("nomen convert IN OUT"),
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in data.files.iter().enumerate() {
        for switch in &source.report.units.first {
            let message = format!("offsets count {}, converted", switch.unit);
            findings.push(Finding::new(Check::ConvertedOffsets, message, vec![Place::line(file, switch.line)]));
        }
    }
    findings
}
