//! What people who come from transformers or spaCy will type, and what to tell them.

/// Advice on another tool's name for a setting; `None` where the name is not known.
pub(super) fn advice(key: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(names, _)| names.contains(&key)).map(|(_, advice)| *advice)
}

const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["per_device_train_batch_size", "per_gpu_train_batch_size", "batch_size"],
        "use train_batch_size, the texts that one step sees",
    ),
    (
        &["gradient_accumulation_steps", "accumulate_gradient"],
        "a step shares its batch out among the threads, whatever its size; use train_batch_size for all texts of a step",
    ),
    (
        &["per_device_eval_batch_size", "eval_batch_size", "per_gpu_eval_batch_size", "eval_accumulation_steps"],
        "texts are never padded, so the scores and the time do not depend on how many are evaluated together",
    ),
    (&["num_epochs", "epochs", "max_epochs", "n_epochs", "n_iter"], "use num_train_epochs"),
    (&["lr", "learn_rate", "learning-rate"], "use learning_rate"),
    (&["lr_scheduler_type", "scheduler", "schedule"], "use lr_scheduler, one of \"linear\", \"cosine\", \"constant\""),
    (&["warmup_steps", "num_warmup_steps", "warmup"], "use warmup_ratio, the share of all steps"),
    (&["max_norm", "grad_clip", "gradient_clip_val", "clip_grad_norm"], "use max_grad_norm"),
    (&["l2", "decay"], "use weight_decay"),
    (
        &["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout_rate", "drop"],
        "use dropout, which sets all of them; left out, each is the base's own",
    ),
    (&["early_stopping_patience", "early_stopping"], "use patience, counted in evaluations"),
    (
        &["eval_steps", "eval_frequency", "eval_strategy", "evaluation_strategy", "eval_interval"],
        "use eval_every, in steps; 0 is once an epoch",
    ),
    (&["max_seq_length", "model_max_length", "max_len", "max_seq_len", "window"], "use max_length, in word pieces"),
    (&["doc_stride", "overlap"], "use stride"),
    (&["max_tokens", "batch_words", "tokens_per_batch"], "use train_batch_pieces"),
    (&["random_seed", "data_seed", "random_state"], "use seed"),
    (&["n_threads", "num_threads", "n_process", "workers"], "use threads"),
    (
        &["dataloader_num_workers", "preprocessing_num_workers", "num_workers"],
        "texts are read once, before training; use threads for the workers that compute",
    ),
    (&["label_all_tokens", "aggregation_strategy"], "use alignment, \"word\" (transformers' \"first\") or \"piece\""),
    (
        &["model_name_or_path", "model_name", "model", "base_model", "checkpoint"],
        "use base, such as \"minilm\" or \"hf:OWNER/NAME\"",
    ),
    (&["output_dir", "logging_dir"], "a run's folder is given on the command line: --out DIR"),
    (
        &["train_file", "validation_file", "test_file", "train", "dev", "test", "dataset_name"],
        "files are given on the command line: --train FILE --dev FILE --test FILE",
    ),
    (&["resume_from_checkpoint"], "a run goes on with --resume on the command line"),
    (
        &["fp16", "fp16_full_eval", "bf16_full_eval", "tf32", "use_amp", "mixed_precision"],
        "training computes in f32; bf16=true rounds the factors of products to 16 bits",
    ),
    (
        &["load_best_model_at_end", "metric_for_best_model", "greater_is_better"],
        "the model with the best ents_f on the dev set is always kept, as model-best, and the last one as model-last",
    ),
    (
        &["save_steps", "save_strategy", "save_total_limit"],
        "the best and the last model and a checkpoint to resume from are always kept",
    ),
    (&["logging_steps", "logging_strategy", "report_to"], "every step is written to events.jsonl in the run's folder"),
    (
        &["optim", "optimizer", "adam_beta1", "adam_beta2", "adam_epsilon"],
        "the optimizer is AdamW with betas 0.9 and 0.999 and epsilon 1e-8",
    ),
    (
        &["group_by_length", "pad_to_max_length", "padding", "pad_to_multiple_of"],
        "texts are packed end to end, never padded",
    ),
    (&["truncation", "truncate"], "long texts are read in windows, never truncated; use max_length and stride"),
    (&["no_cuda", "use_cpu", "device", "gpu_id", "gpu_allocator"], "training runs on the CPU; use threads"),
    (&["label_smoothing_factor", "label_smoothing"], "the loss is plain cross-entropy"),
];
