//! Several answers to one question, as one.

use std::collections::BTreeMap;

use schema::{Label, Span};

use crate::suggest::{Grounding, Suggestion};

/// The suggestions of several answers, each once. Where there were several answers, the score of a suggestion is the share
/// of them that made it (self-consistency; Wang et al., 2023). Of answers that found it differently the surest counts.
pub(super) fn joined(answers: Vec<Vec<Suggestion>>) -> Vec<Suggestion> {
    let count = answers.len();
    if count <= 1 {
        return answers.into_iter().flatten().collect();
    }
    let mut placed: BTreeMap<(Span, Label), (usize, Suggestion)> = BTreeMap::new();
    let mut nowhere: BTreeMap<(Label, String), (usize, Suggestion)> = BTreeMap::new();
    for answer in answers {
        let mut seen = Vec::new();
        for suggestion in answer {
            let label = suggestion.label.clone();
            let name =
                (suggestion.span, label.clone(), suggestion.span.map_or(suggestion.quote.clone(), |_| String::new()));
            // One answer has one vote, however often it says the same.
            let vote = usize::from(!seen.contains(&name));
            seen.push(name);
            let known = match suggestion.span {
                Some(span) => placed.entry((span, label)).or_insert_with(|| (0, suggestion.clone())),
                None => nowhere.entry((label, suggestion.quote.clone())).or_insert_with(|| (0, suggestion.clone())),
            };
            known.0 += vote;
            if suggestion.status < known.1.status {
                known.1 = suggestion;
            }
        }
    }
    let all = placed.into_values().chain(nowhere.into_values());
    all.map(|(votes, suggestion)| Suggestion { score: Some(votes as f32 / count as f32), ..suggestion }).collect()
}

/// The suggestions with what the model said when it was asked about each that has a place; a verdict is one more vote.
pub(super) fn judged(mut suggestions: Vec<Suggestion>, verdicts: &[bool], answers: usize) -> Vec<Suggestion> {
    let placed = suggestions.iter_mut().filter(|suggestion| suggestion.status != Grounding::Ungrounded);
    for (suggestion, verdict) in placed.zip(verdicts) {
        let votes = suggestion.score.unwrap_or(1.0) * answers as f32 + f32::from(u8::from(*verdict));
        suggestion.score = Some(votes / (answers + 1) as f32);
        suggestion.verified = Some(*verdict);
    }
    suggestions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suggest::{Origin, OriginKind};

    #[test]
    fn the_score_is_the_share_of_answers_and_a_repeated_word_is_no_second_vote() {
        let text = "Anna Rome";
        let one = |range: std::ops::Range<usize>| {
            let label = Label::new("X").unwrap();
            Suggestion::exact(text, Span::of(text, range).unwrap(), label, None, Origin::new(OriginKind::Llm, "m"))
        };
        let unsure = Suggestion { status: Grounding::Ambiguous, ..one(0..4) };
        let lost = Suggestion { span: None, status: Grounding::Ungrounded, quote: "Oslo".into(), ..one(0..4) };
        let joined =
            joined(vec![vec![unsure, lost.clone(), lost], vec![one(0..4), one(5..9)], vec![one(0..4)], vec![]]);
        let told: Vec<(Grounding, Option<f32>)> = joined.iter().map(|one| (one.status, one.score)).collect();
        assert_eq!(
            told,
            [(Grounding::Exact, Some(0.75)), (Grounding::Exact, Some(0.25)), (Grounding::Ungrounded, Some(0.25)),]
        );
        let judged = judged(joined, &[true, false], 4);
        assert_eq!(
            judged.iter().map(|one| (one.score, one.verified)).collect::<Vec<_>>(),
            [(Some(0.8), Some(true)), (Some(0.2), Some(false)), (Some(0.25), None),]
        );
    }
}
