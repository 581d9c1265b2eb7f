"""How a function becomes an endpoint: typed parameters, one sentence on bad input, an end when its caller has gone."""

from __future__ import annotations

import inspect
import json
import threading
import typing
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, Any

import gradio as gr
from gradio.components.api_component import Api
from gradio.events import python_type_to_json_schema
from gradio.utils import get_function_description

from dashboard.api.caller import asking, is_assistant
from dashboard.service import InputError, Service
from dashboard.service.counters import REFUSED, count


@dataclass(frozen=True)
class Call:
    """One call of an endpoint.

    Attributes:
        service: The service.
        stop: Set when the caller has gone, or gone on to something else.
    """

    service: Service
    stop: threading.Event


class Refusal(gr.Error):
    """A sentence for the caller, whichever way it came."""

    def __init__(self, sentence: str):
        super().__init__(sentence, print_exception=False)
        count(REFUSED)

    def __str__(self) -> str:  # what an assistant is told; Gradio's own has quotes around it
        return self.message


@dataclass(frozen=True)
class Endpoint:
    """A function as an endpoint of its name.

    Its parameters after the first, the `Call`, are the endpoint's: their type hints (with more of JSON Schema in
    `Annotated`) and defaults are its types, the docstring is its description, with a line for each parameter.

    Attributes:
        function: The function.
        answers: What it returns: 'answer' (JSON values), 'picture' (a PNG), 'archive' (a file).
        runs: Whether it may run a model, and so counts among those that a caller may have at once.
    """

    function: Callable[..., Any]
    answers: tuple[str, ...]
    runs: bool = False

    def register(self, service: Service, trigger: gr.Button, answers: Mapping[str, Any]) -> None:
        """Add it to the current Blocks, as an event of a button that nobody sees; `answers` are components by kind."""
        handler = self.handler(service)
        description, described, returns = get_function_description(handler)
        hints = typing.get_type_hints(self.function, include_extras=True)
        parameters = inspect.signature(handler).parameters.values()
        trigger.click(
            handler,
            [component_of(one, hints[one.name], described[one.name]) for one in parameters],
            [answers[kind] for kind in self.answers],
            api_name=self.function.__name__,
            api_description=" ".join([description, *(["Returns:", *returns] if returns else [])]),
            queue=False,  # so that an assistant's call is a request that tells when the assistant has gone
            concurrency_limit=None,
            show_progress="hidden",
        )

    def handler(self, service: Service) -> Callable[..., Any]:
        """Return the function as Gradio calls it: without its first parameter."""

        def answer(*given: Any) -> Any:
            visit = asking()
            try:
                with service.budget.calling(visit.visitor) if self.runs else nullcontext():
                    found = self.function(Call(service, visit), *given)
                    return as_text(found) if is_assistant() else found
            except InputError as error:
                raise Refusal(str(error)) from None

        _, *parameters = inspect.signature(self.function).parameters.values()
        answer.__name__, answer.__doc__ = self.function.__name__, self.function.__doc__
        answer.__signature__ = inspect.Signature(parameters)
        answer.__annotations__ = {}
        return answer


def as_text(found: Any) -> Any:
    """Return what an endpoint answers with its JSON values as JSON: Gradio would write them as Python does."""
    if isinstance(found, tuple):
        return tuple(map(as_text, found))
    return json.dumps(found, ensure_ascii=False) if isinstance(found, dict) else found


# ---- components: what the API's own page, its schema and its clients know of a parameter or an answer


def component_of(parameter: inspect.Parameter, hint: Any, description: str) -> gr.components.Component:
    """Return the component of a parameter."""
    label = description.removesuffix(".")
    if hint is File:  # one: Gradio takes no list of files from an assistant
        return gr.File(label=label, type="filepath")
    default = None if parameter.default is parameter.empty else parameter.default
    return value(schema_of(hint), label, default)


def schema_of(hint: Any) -> dict[str, Any]:
    """Return a type hint as JSON Schema, with what `Annotated` says besides."""
    if typing.get_origin(hint) is not Annotated:
        return python_type_to_json_schema(hint)
    kind, *more = typing.get_args(hint)
    schema = python_type_to_json_schema(kind)
    for one in more:
        schema = schema | one if isinstance(one, Mapping) else schema
    return schema


def value(schema: Mapping[str, Any], label: str, default: Any = None) -> Api:
    """Return a component that holds JSON values; not a class of its own, for which Gradio would write a `.pyi` here."""
    component = Api(default, dict(schema), label)
    example = default if default is not None else next(iter(schema.get("examples", ())), None)
    component.example_payload = component.example_value = lambda: example
    return component


def answers() -> dict[str, gr.components.Component]:
    """Return the components of answers, which all endpoints share: each more makes every page of the app longer."""
    return {
        "answer": value({"type": "object", "additionalProperties": {}}, "answer"),
        "picture": gr.Image(label="picture", format="png", type="filepath"),
        "archive": gr.File(label="archive", type="filepath"),
    }


# ---- what several endpoints take

File = Annotated[str, "the path of an uploaded file"]
Dataset = Annotated[str, {"examples": ["mnist"]}]
Checkpoint = Annotated[str, {"examples": ["mnist/vae"]}]
Seed = Annotated[int, {"minimum": 0}]
Knobs = Annotated[dict | None, {"examples": [{}]}]
