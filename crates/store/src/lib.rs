//! The project database: documents, annotations with their history, suggestions, queues, people, runs.
