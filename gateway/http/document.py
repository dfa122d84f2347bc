"""The base of every document that the API hands out: what is not in its schema is not in it."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
