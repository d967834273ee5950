# For type checkers: `load` and the clients come from a package that a project may have generated from its documents.
from dynclient import exceptions as exceptions
from dynclient import options as options
from dynclient import testing as testing
from dynclient._version import __version__ as __version__
from dynclient.exceptions import ApiError as ApiError
from dynclient.exceptions import DocumentError as DocumentError
from dynclient.exceptions import DynclientError as DynclientError
from dynclient.exceptions import RequestError as RequestError
from dynclient.exceptions import ResponseError as ResponseError
from dynclient.exceptions import TransportError as TransportError
from dynclient.messages import HTTPResult as HTTPResult
from dynclient.messages import Request as Request
from dynclient.messages import Response as Response
from dynclient.options import Retry as Retry
from dynclient.options import Timeout as Timeout
from dynclient.options import Validation as Validation
from dynclient_types import AsyncClient as AsyncClient
from dynclient_types import Client as Client
from dynclient_types import load as load

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "DocumentError",
    "DynclientError",
    "HTTPResult",
    "Request",
    "RequestError",
    "Response",
    "ResponseError",
    "Retry",
    "Timeout",
    "TransportError",
    "Validation",
    "load",
]
