"""A story that does not hold says so, and which step."""

from pathlib import Path

import httpx
import pytest

from gateway.demo.story import STEPS, Scene, Stage, Untrue, tell
from tests.running import free_port

STAGE = Stage("http://127.0.0.1:1", "http://127.0.0.1:1", Path("/nowhere"), Path("/nowhere"), Path("/nowhere"))


def test_a_claim_that_does_not_hold_is_told() -> None:
    with httpx.Client() as client, pytest.raises(Untrue, match="status: expected 200, got 403"):
        Scene(STAGE, client, lambda line: None).expect("status", 200, 403)


def test_a_claim_that_holds_is_silent() -> None:
    with httpx.Client() as client:
        Scene(STAGE, client, lambda line: None).expect("status", 200, 200)


def test_every_step_has_a_title_in_both_languages() -> None:
    assert all(step.en and step.zh and step.en != step.zh for step in STEPS)


def test_without_a_gateway_there_is_no_story() -> None:
    nowhere = Stage(f"http://127.0.0.1:{free_port()}", STAGE.issuer, STAGE.folder, STAGE.config, STAGE.state)
    with pytest.raises(httpx.TransportError):
        next(tell(nowhere, lambda line: None))
