"""An object store on loopback: moto's, behind a gate that checks the signature and the sum of every request that `nomen` signs.

The signature is computed anew from what came over the wire, by the description of Amazon's version 4:
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import base64
import hashlib
import hmac
import io
import threading
from urllib.parse import parse_qsl, quote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


def signature(environ: dict, secret: str) -> tuple[str, str]:
    """The signature that a request carries, and the one that it should carry."""
    path, _, query = environ["RAW_URI"].partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    names = given["X-Amz-SignedHeaders"].split(";")
    head = "".join(f"{name}:{environ['HTTP_' + name.upper().replace('-', '_')].strip()}\n" for name in names)
    rest = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in pairs if k != "X-Amz-Signature")
    canonical = "\n".join([
        environ["REQUEST_METHOD"], path, "&".join(f"{k}={v}" for k, v in rest), head, ";".join(names), "UNSIGNED-PAYLOAD",
    ])
    scope = given["X-Amz-Credential"].split("/", 1)[1]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", given["X-Amz-Date"], scope, digest])
    return given["X-Amz-Signature"], hmac.digest(key, text.encode(), "sha256").hex()


class CheckedStore:
    """The store; `counts` says what was asked of it."""

    def __init__(self, secret: str):
        self.secret = secret
        self.counts = {"GET": 0, "PUT": 0}
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, environ, start):
        if "X-Amz-Signature" not in environ["QUERY_STRING"]:
            return self.moto(environ, start)
        with self.lock:
            self.counts[environ["REQUEST_METHOD"]] += 1
        given, expected = signature(environ, self.secret)
        if given != expected:
            return self.refuse(start, "403 Forbidden", "SignatureDoesNotMatch")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if environ["REQUEST_METHOD"] == "PUT":
            sum_ = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if environ["HTTP_X_AMZ_CHECKSUM_SHA256"] != sum_:
                return self.refuse(start, "400 Bad Request", "BadDigest")
            # Between looking for a name and taking it, moto takes no lock; a store does.
            with self.lock:
                return self.moto(environ, start)
        return self.moto(environ, start)

    @staticmethod
    def refuse(start, status: str, code: str):
        body = f"<Error><Code>{code}</Code></Error>".encode()
        start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def stop(self) -> None:
        self.server.shutdown()
