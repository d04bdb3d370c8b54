"""The parts of a multipart/form-data body. In: content type and bytes. Out: (name, file name, content) in order."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP


def parts(content_type: str, content: bytes) -> list[tuple[str, str, bytes]]:
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + content)
    parsed = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        parsed.append((str(name or ""), str(part.get_filename() or ""), payload if isinstance(payload, bytes) else b""))
    return parsed
