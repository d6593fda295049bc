"""Entities of texts from a running `nomen serve`, with Hugging Face's own client (pip install huggingface_hub).

    nomen serve --model model-best
    python examples/clients/with_inference_client.py "Anna Berg lives in Oslo."

Code that talks to an inference endpoint of Hugging Face needs another address, nothing else. A key, if the server asks for
one, is read from NOMEN_KEY.
"""

import argparse
import os

from huggingface_hub import InferenceClient


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    args = parser.parse_args()
    client = InferenceClient(model=args.url, token=os.environ.get("NOMEN_KEY"))
    for text in args.texts:
        print(text)
        for group in client.token_classification(text, aggregation_strategy="first"):
            print(f"  {group.entity_group}: {text[group.start:group.end]} ({group.score:.2f})")


if __name__ == "__main__":
    main()
