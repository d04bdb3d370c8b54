"""One total deadline for each call to a bucket: name, connection, TLS, every attempt, head and body end with it.

In: a boto3 client. Out: the same, whose connections are watched. A body that is read after its call (GetObject) is
bounded by whoever reads it, inside of `within`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool

from providers.http.deadline import current, within
from providers.http.transport import Watched
from providers.storage import base

TRANSFERS = {"PutObject", "GetObject", "CopyObject", "UploadPart"}


class _Connection(Watched, AWSHTTPConnection):  # type: ignore[misc]  # botocore has its own request()
    pass


class _TlsConnection(Watched, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def bound(client: Any) -> None:
    """Every later call of this client ends in time. Raises TimeoutError from the call where it did not."""
    session, call = client._endpoint.http_session, client._make_api_call
    session._pool_classes_by_scheme = session._manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    client.meta.events.register("before-send.s3", _refuse_late)
    client._make_api_call = _in_time(call)


def _in_time(call: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def make(operation: str, parameters: Any) -> Any:
        with within(base.TRANSFER_SECONDS if operation in TRANSFERS else base.LOOK_SECONDS):
            return call(operation, parameters)

    return make


def _refuse_late(**_: Any) -> None:
    """No further attempt once the end came; an error of this kind botocore does not repeat."""
    if current().is_over():
        raise TimeoutError("the store took too long")
