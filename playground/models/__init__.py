"""Model families, one a file; a new one is a class added to this union."""

from typing import Annotated

from pydantic import Field

from playground.choice import FROM_NAME
from playground.models.exact import Exact
from playground.models.flow_matching import FlowMatching
from playground.models.gan import Gan

AnyModel = Annotated[FlowMatching | Exact | Gan, Field(discriminator="kind"), FROM_NAME]

__all__ = ["AnyModel", "Exact", "FlowMatching", "Gan"]
