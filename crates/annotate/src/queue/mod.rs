//! In which order texts are annotated, and by whom.
