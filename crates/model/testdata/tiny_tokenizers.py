"""Tiny tokenizers laid out as those of the six architectures: normalizer, splitting, special tokens and ids."""

import math
from collections import Counter

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def frequent_parts(words: Counter, longest: int, count: int) -> list[tuple[str, int]]:
    """Every character, then the substrings that cover most text, with their frequencies.

    The library's own trainers for these two models break ties by hash, so they learn something else each time.
    """
    parts: Counter = Counter()
    for word, times in words.items():
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + longest) + 1):
                parts[(word[start:end], start == 0)] += times
    singles: Counter = Counter()
    for (part, _), times in parts.items():
        if len(part) == 1:
            singles[part] += times
    common = sorted(singles.items(), key=lambda p: (-p[1], p[0]))[: count // 2]
    longer = [(part if first else "##" + part, times) for (part, first), times in parts.items() if len(part) > 1]
    longer.sort(key=lambda p: (-p[1] * len(p[0].removeprefix("##")), p[0]))
    return common + longer[: count - len(common)]


def wordpiece(texts: list[str], lowercase: bool) -> PreTrainedTokenizerFast:
    """BERT, DistilBERT, ELECTRA: `[CLS] A [SEP]`."""
    normalizer, splitter = normalizers.BertNormalizer(lowercase=lowercase), pre_tokenizers.BertPreTokenizer()
    words = Counter(w for t in texts for w, _ in splitter.pre_tokenize_str(normalizer.normalize_str(t)))
    parts = [part for part, _ in frequent_parts(words, longest=6, count=160)]
    inner = ["##" + part for part in parts if len(part) == 1 and part.isalpha()]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(BERT_SPECIALS + parts + inner))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.add_special_tokens(BERT_SPECIALS)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(t, vocabulary[t]) for t in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )


def byte_bpe(texts: list[str]) -> PreTrainedTokenizerFast:
    """RoBERTa: bytes as letters, `add_prefix_space` so that known words can be given."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=ROBERTA_SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=True
    )
    return with_roberta_names(tokenizer)


def unigram(texts: list[str], camembert: bool) -> PreTrainedTokenizerFast:
    """XLM-RoBERTa and CamemBERT: a unigram model over `▁`-marked words, each with its own id layout."""
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    words = Counter("▁" + w for t in texts for w in normalizer.normalize_str(t).split())
    parts = Counter()
    for part, times in frequent_parts(words, longest=6, count=190):
        parts[part.removeprefix("##")] += times
    total = sum(parts.values())
    scored = sorted(((p, math.log(t / total)) for p, t in parts.items()), key=lambda p: (-p[1], p[0]))
    if camembert:
        head = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"]
    else:
        head = ["<s>", "<pad>", "</s>", "<unk>"]
    vocabulary = [(t, 0.0) for t in head] + scored + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizer
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    # CamemBERT's file splits at white space first, so that runs of it and tabs leave no piece.
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace]) if camembert else metaspace
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(t, tokenizer.token_to_id(t)) for t in ("<s>", "</s>")],
    )
    return with_roberta_names(tokenizer)


def with_roberta_names(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=64,
    )
