//! A first pass by an LLM, a model or a lexicon.
