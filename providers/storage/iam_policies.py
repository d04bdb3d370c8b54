"""The least that each worker needs in a bucket, to paste: three IAM policies, a bucket policy, a lifecycle.

In: a store's address. Out: JSON-ready dicts and notes for compatibles. Pure. Sources: docs.aws.amazon.com, Actions for
Amazon S3; Enforce conditional writes; Backblaze application key capabilities; Cloudflare R2 API tokens.
"""

from __future__ import annotations

from typing import Any

from providers.storage.base import Address

Document = dict[str, Any]
ASK = ["s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:GetBucketLocation"]
READ = ["s3:GetObject", "s3:GetObjectRetention"]
ADMIN = "arn:aws:iam::ACCOUNT-ID:role/BACKUP-ADMINISTRATOR"
PURPOSE = {
    "writer": "export workers: store and read back, never delete",
    "prover": "the prove worker and auditors: read everything, write only proofs, retention's notes, checkpoints",
    "reaper": "retention alone: hide what has expired; Object Lock still decides",
}


def documents(address: Address) -> dict[str, Document]:
    """Every document, by the name that `store_policies --only` takes."""
    return {
        "writer": writer(address),
        "prover": prover(address),
        "reaper": reaper(address),
        "bucket": bucket(address),
        "lifecycle": lifecycle(address),
    }


def _bucket(address: Address) -> str:
    return f"arn:aws:s3:::{address.bucket}"


def _objects(address: Address, below: str = "*") -> str:
    return f"{_bucket(address)}/{address.prefix}/{below}" if address.prefix else f"{_bucket(address)}/{below}"


def _policy(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(name: str, actions: list[str], resource: str | list[str], **more: Any) -> Document:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource, **more}


def _list(address: Address, actions: list[str]) -> Document:
    """Without ListBucket a missing object answers 403 instead of 404, and no run is ever new."""
    only = {"StringLike": {"s3:prefix": [f"{address.prefix}/*", address.prefix]}}
    return _allow("List", actions, _bucket(address), **({"Condition": only} if address.prefix else {}))


def writer(address: Address) -> Document:
    return _policy(
        _allow("WriteOnceAndReadBack", ["s3:PutObject", "s3:PutObjectRetention", *READ], _objects(address)),
        _list(address, ["s3:ListBucket"]),
        _allow("AskTheBucket", ASK, _bucket(address)),
    )


def prover(address: Address) -> Document:
    proofs = [
        _objects(address, "runs/*/proof-*"),
        _objects(address, "runs/*/evidence.json"),
        _objects(address, "runs/*/purged.json"),
        _objects(address, "ledger/*"),
        _objects(address, "probe/*"),
    ]
    return _policy(
        _allow("ReadEverything", [*READ, "s3:GetObjectVersion"], _objects(address)),
        _allow("WriteProofs", ["s3:PutObject", "s3:PutObjectRetention"], proofs),
        _list(address, ["s3:ListBucket", "s3:ListBucketVersions"]),
        _allow("AskTheBucket", ASK, _bucket(address)),
    )


def reaper(address: Address) -> Document:
    """DeleteObject without DeleteObjectVersion: what is deleted is hidden, and the lifecycle removes it later."""
    return _policy(
        _allow("LookAndDelete", [*READ, "s3:DeleteObject"], _objects(address)),
        _list(address, ["s3:ListBucket"]),
        _allow("AskTheBucket", ASK, _bucket(address)),
    )


def _deny(name: str, actions: list[str], resource: list[str], condition: Document) -> Document:
    return {
        "Sid": name,
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resource,
        "Condition": condition,
    }


def bucket(address: Address) -> Document:
    """Holds even for whoever has wider IAM policies; the administrator's role is yours to name."""
    everyone_else = {"ArnNotLike": {"aws:PrincipalArn": ADMIN}}
    both = [_bucket(address), f"{_bucket(address)}/*"]
    dangerous = [
        "s3:DeleteObjectVersion",
        "s3:BypassGovernanceRetention",
        "s3:PutBucketPolicy",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketVersioning",
        "s3:PutLifecycleConfiguration",
        "s3:PutBucketObjectLockConfiguration",
        "s3:DeleteBucket",
    ]
    return _policy(
        _deny("OnlyTheAdministratorUnprotects", dangerous, both, everyone_else),
        _deny("NeverOverwrite", ["s3:PutObject"], [_objects(address)], {"Null": {"s3:if-none-match": "true"}}),
        _deny("OnlyWithTls", ["s3:*"], both, {"Bool": {"aws:SecureTransport": "false"}}),
    )


def lifecycle(address: Address) -> Document:
    prefix = f"{address.prefix}/" if address.prefix else ""

    def rule(name: str, below: str, **more: Any) -> Document:
        return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": f"{prefix}{below}"}, **more}

    return {
        "Rules": [
            rule("forget-probes", "probe/", Expiration={"Days": 7}),
            rule("forget-hidden-versions", "", NoncurrentVersionExpiration={"NoncurrentDays": 30}),
            rule("abort-unfinished-uploads", "", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}),
        ]
    }


NOTES = (
    "AWS: make the bucket with Object Lock and versioning (Object Lock needs versions), apply bucket and lifecycle "
    "with `aws s3api put-bucket-policy` and `put-bucket-lifecycle-configuration`.",
    "MinIO and SeaweedFS take the three policies as they are (`mc admin policy create`); not every one knows "
    "s3:if-none-match, so leave NeverOverwrite out where it is refused and run `sampelit-ops probe_store`.",
    "Backblaze B2 has application keys instead: writer listFiles, readFiles, writeFiles, readFileRetentions, "
    "writeFileRetentions, readBucketRetentions; prover the same without writeFiles; reaper adds deleteFiles.",
    "Cloudflare R2 has no Object Lock in its S3 API and its tokens cannot forbid deletion alone: use an Object Read & "
    "Write token for this bucket only and a bucket lock rule over the prefix.",
)
