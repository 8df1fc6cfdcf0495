"""An event of the page: a JSON request in, from a page with a key of its own; updates out, or a sentence of why not."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from playground.choice import InvalidExperiment, Problem
from playground.ui.session import Session, Sessions

MAX_KEY = 64
FAILED = "this went wrong on the server, which has noted it; try other settings."

Updates = Iterator[Any]


def performed(
    sessions: Sessions,
    given: str,
    act: Callable[[Session, dict[str, Any]], Updates],
    failed: Callable[[Session | None, str], Any] | None = None,
) -> Updates:
    """What `act` says to a request, or the sentence that tells why it says no more.

    failed: the update after an error that nobody foresaw, of the session where it was known and a sentence.
    """
    session = None
    try:
        asked = json.loads(given)
        session = session_of(sessions, asked)
        yield from act(session, asked)
    except InvalidExperiment as error:
        yield gr.HTML(problems=told(error.problems))
    except json.JSONDecodeError:
        yield gr.HTML(problems=told([Problem((), "this could not be read; reload the page.")]))
    except Exception:
        logging.exception("A button of the page failed.")
        yield failed(session, FAILED) if failed else gr.HTML(problems=told([Problem((), FAILED)]))


def session_of(sessions: Sessions, asked: Any) -> Session:
    """The session of the page that asks. Raises InvalidExperiment where it has no key."""
    key = asked.get("page") if isinstance(asked, dict) else None
    if not isinstance(key, str) or not 8 <= len(key) <= MAX_KEY:
        raise InvalidExperiment([Problem((), "this page has no key of its own; reload it.")])
    return sessions.of(key)


def told(problems: list[Problem]) -> str:
    """What the page marks: a list of paths with their sentences."""
    return json.dumps([{"path": problem.path, "sentence": problem.sentence} for problem in problems])
