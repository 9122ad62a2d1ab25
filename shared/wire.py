"""Bases of the wire models: camelCase outside, snake_case inside."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class RequestModel(BaseModel):
    """A part of a request; members it does not know are ignored, as ULCA clients send many."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class AnswerModel(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, frozen=True
    )
