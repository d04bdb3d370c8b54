"""Every call of both clients understands every answer that the provider's own file allows, and what comes tomorrow.

The files are as published. An answer with a field that is null, gone, of a new word or more is read, or refused as an
error of the provider; never anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import pytest
import requests
import stamina
from openapi_core.exceptions import OpenAPIError

from providers.errors import ProviderError
from providers.http.errors import Misshapen
from providers.render import Render
from providers.supabase import Supabase
from tests import openapi, spec_answers
from tests.providers import test_render_contract, test_supabase_contract
from tests.providers.supabase_client import Answering, client
from tests.spec_answers import spoiled

Call = Callable[[Any], Any]
RENDER = [
    (f"render {case[1]}", case[0]) for case in test_render_contract.CALLS if case[1] not in test_render_contract.YOUNGER
]
SUPABASE = [(f"supabase {number}", case[0]) for number, case in enumerate(test_supabase_contract.CALLS)]
CALLS = RENDER + SUPABASE


@pytest.fixture(autouse=True)
def once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


def made(name: str, adapter: Answering) -> Render | Supabase:
    if name.startswith("supabase"):
        return client(adapter)
    render = Render("rnd_answers", deadline=0.2)
    render.http._session.mount("https://", adapter)
    return render


def ask(name: str, call: Call, answer: Any) -> Answering:
    """Call with this answer; a list is read to its end."""
    adapter = Answering(body=answer)
    read(call(made(name, adapter)))
    return adapter


def read(answered: Any) -> None:
    if hasattr(answered, "__next__"):
        list(answered)


def request_of(name: str, call: Call) -> Any:
    adapter = Answering(body=[])
    with suppress(ProviderError):
        answered = call(made(name, adapter))
        next(answered, None) if hasattr(answered, "__next__") else None
    return adapter.requests[0]


@contextmanager
def but_about_another() -> Iterator[None]:
    """A read by id refuses an answer about another id, which is all that the file can make."""
    try:
        yield
    except Misshapen as error:
        if "was asked for" not in error.message:
            raise


@pytest.mark.sampled(12)
@pytest.mark.specs
@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_what_the_file_allows_is_understood_and_no_other_shape_breaks_it(name: str, call: Call) -> None:
    path = test_supabase_contract.SPEC if name.startswith("supabase") else openapi.RENDER_AS_PUBLISHED
    openapi.required(path)
    file, request = spec_answers.of(path), request_of(name, call)
    schema = file.schema(request.method, request.path_url.removeprefix("" if name.startswith("supabase") else "/v1"))
    if schema is None:  # the rows of a query have none, and nothing is no row
        with pytest.raises(Misshapen) if request.path_url.endswith("/read-only") else nullcontext():
            ask(name, call, None)
        return

    for branch in range(3):
        with but_about_another():
            ask(name, call, file.made(schema, branch))
    for answer in (*spoiled(file.made(schema)), [], {}, [[]], [7], "text", 7, True):
        with suppress(ProviderError):
            ask(name, call, answer)


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_a_read_that_is_answered_by_nothing_is_an_error_and_not_empty(name: str, call: Call) -> None:
    request, adapter = request_of(name, call), Answering()
    if request.method == "GET" and not request.path_url.endswith("/body"):
        for adapter.content in (b"", b"null"):
            with pytest.raises(Misshapen):
                read(call(made(name, adapter)))


@pytest.mark.specs
def test_a_body_of_null_is_no_request() -> None:
    for path, address in (
        (openapi.RENDER_AS_PUBLISHED, "https://api.render.com/v1/services/srv-1/deploys"),
        (openapi.SUPABASE_AS_PUBLISHED, "https://api.supabase.com/v1/projects/abcdefghijklmnopqrst/restore"),
    ):
        request = requests.Request("POST", address, data="null", headers={"Content-Type": "application/json"})
        with pytest.raises(OpenAPIError):
            openapi.check(openapi.required(path), request.prepare())


def test_the_answers_tell_a_client_that_breaks_from_one_that_does_not() -> None:
    whole = {"id": "dpg-1", "tags": [{"name": "a"}], "size": 7}

    assert len(list(spoiled(whole))) == 20
    assert {"tags": [{"name": "a"}], "size": 7} in list(spoiled(whole))
    assert {"id": "dpg-1", "tags": [{"name": None}], "size": 7} in list(spoiled(whole))
    with pytest.raises(KeyError):
        for answer in spoiled(whole):
            answer["id"]
