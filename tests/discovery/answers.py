"""Answers to learn from: records with fields of every kind."""

import random

import orjson

from gateway.discovery import Learner, Record
from gateway.facts import Asset, Field, Grade
from tests.literals import an_asset

DAY = "2026-01-10"
KEY = b"a key that no file holds"


def asset(
    fields: tuple[Field, ...] = (), route: str = "GET /market/shops", revision: str = "r1", api: str = "market"
) -> Asset:
    return an_asset(api=api, id="shop", route=route, fields=fields, revision=revision)


def field(path: str, identifier: str = "", grade: Grade = Grade.GENERAL_3) -> Field:
    return Field(path, identifier, grade)


def learnt(answers, of: Asset | None = None, every: int = 1, day: str = DAY, before: Record | None = None) -> Learner:
    """A learner that has seen these answers (values, or bytes as they are)."""
    learner = Learner(every, KEY) if before is None else Learner(every, KEY, before)
    for answer in answers:
        learner.observe(of or asset(), answer if isinstance(answer, bytes) else orjson.dumps(answer))
        learner.learn(day)
    return learner


def column(name: str, make, count: int = 40, seed: int = 3):
    """Answers of one record each, with this member."""
    source = random.Random(seed)
    return [{name: make(source)} for _ in range(count)]
