// Where a suggestion comes from and how its quote was found, in words.

export const origin = one => [one.origin?.name ?? "somebody", one.origin?.version].filter(Boolean).join(" ");
export const status = grounding => ({ folded: ", other case", fuzzy: ", not word for word", ambiguous: ", one of several places", "taken back": ", taken back when asked again" })[grounding] ?? "";
