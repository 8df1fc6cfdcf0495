"""Model families, one a file; a new one is a class added to this union."""

from typing import Annotated

from playground.choice import FROM_NAME
from playground.models.flow_matching import FlowMatching

AnyModel = Annotated[FlowMatching, FROM_NAME]

__all__ = ["AnyModel", "FlowMatching"]
