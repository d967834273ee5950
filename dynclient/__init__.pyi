# For type checkers: `load` and the clients come from a package that a project may have generated from its documents.
from dynclient import bulk as bulk
from dynclient import drift as drift
from dynclient import exceptions as exceptions
from dynclient import explorer as explorer
from dynclient import mcp as mcp
from dynclient import options as options
from dynclient import security as security
from dynclient import testing as testing
from dynclient import webhooks as webhooks
from dynclient._call.http_cache import HTTPCache as HTTPCache
from dynclient._client.jobs import resume as resume
from dynclient.exceptions import ApiError as ApiError
from dynclient.exceptions import ArgumentError as ArgumentError
from dynclient.exceptions import AuthorizationError as AuthorizationError
from dynclient.exceptions import BadRequest as BadRequest
from dynclient.exceptions import BlockedAddress as BlockedAddress
from dynclient.exceptions import ClientClosed as ClientClosed
from dynclient.exceptions import Conflict as Conflict
from dynclient.exceptions import ConnectError as ConnectError
from dynclient.exceptions import ConnectionLost as ConnectionLost
from dynclient.exceptions import CredentialScopeError as CredentialScopeError
from dynclient.exceptions import DecodeError as DecodeError
from dynclient.exceptions import DocumentError as DocumentError
from dynclient.exceptions import DocumentLocation as DocumentLocation
from dynclient.exceptions import DynclientError as DynclientError
from dynclient.exceptions import EncodeError as EncodeError
from dynclient.exceptions import ExpressionError as ExpressionError
from dynclient.exceptions import Fault as Fault
from dynclient.exceptions import Forbidden as Forbidden
from dynclient.exceptions import Gone as Gone
from dynclient.exceptions import InvalidDocument as InvalidDocument
from dynclient.exceptions import InvalidWebhook as InvalidWebhook
from dynclient.exceptions import LinkError as LinkError
from dynclient.exceptions import MissingCredential as MissingCredential
from dynclient.exceptions import NoSuchOperation as NoSuchOperation
from dynclient.exceptions import NotFound as NotFound
from dynclient.exceptions import PaceTimeout as PaceTimeout
from dynclient.exceptions import PaginationError as PaginationError
from dynclient.exceptions import PaginationUnclear as PaginationUnclear
from dynclient.exceptions import PoolTimeout as PoolTimeout
from dynclient.exceptions import Problem as Problem
from dynclient.exceptions import ProtocolError as ProtocolError
from dynclient.exceptions import RateLimited as RateLimited
from dynclient.exceptions import RedirectError as RedirectError
from dynclient.exceptions import ReplayedWebhook as ReplayedWebhook
from dynclient.exceptions import RequestError as RequestError
from dynclient.exceptions import RequestValidationError as RequestValidationError
from dynclient.exceptions import ResponseError as ResponseError
from dynclient.exceptions import ResponseTooLarge as ResponseTooLarge
from dynclient.exceptions import ResponseValidationError as ResponseValidationError
from dynclient.exceptions import ServerError as ServerError
from dynclient.exceptions import SignatureError as SignatureError
from dynclient.exceptions import TimeoutError as TimeoutError  # noqa: A004  # it is a subclass of the built-in one
from dynclient.exceptions import TLSError as TLSError
from dynclient.exceptions import TransportError as TransportError
from dynclient.exceptions import Unauthorized as Unauthorized
from dynclient.exceptions import UndocumentedStatus as UndocumentedStatus
from dynclient.exceptions import UnexpectedMediaType as UnexpectedMediaType
from dynclient.exceptions import UnknownWebhook as UnknownWebhook
from dynclient.exceptions import UnprocessableContent as UnprocessableContent
from dynclient.exceptions import UnreadableDocument as UnreadableDocument
from dynclient.exceptions import UnresolvableReference as UnresolvableReference
from dynclient.exceptions import UnsafeDocument as UnsafeDocument
from dynclient.exceptions import UnsupportedMediaType as UnsupportedMediaType
from dynclient.exceptions import UnsupportedVersion as UnsupportedVersion
from dynclient.exceptions import WaitFailed as WaitFailed
from dynclient.exceptions import WaitTimeout as WaitTimeout
from dynclient.exceptions import WebhookError as WebhookError
from dynclient.messages import Headers as Headers
from dynclient.messages import HTTPResult as HTTPResult
from dynclient.messages import Request as Request
from dynclient.messages import Response as Response
from dynclient.options import TLS as TLS
from dynclient.options import DeviceCode as DeviceCode
from dynclient.options import Limits as Limits
from dynclient.options import OAuth2 as OAuth2
from dynclient.options import Rate as Rate
from dynclient.options import RateLimiter as RateLimiter
from dynclient.options import Retry as Retry
from dynclient.options import Timeout as Timeout
from dynclient.options import TokenStore as TokenStore
from dynclient.options import Validation as Validation
from dynclient.security import Auth as Auth
from dynclient.security import AuthContext as AuthContext
from dynclient.security import HMACAuth as HMACAuth
from dynclient.security import SigV4 as SigV4
from dynclient_types import AsyncClient as AsyncClient
from dynclient_types import Client as Client
from dynclient_types import load as load

__version__: str

__all__ = [
    "TLS",
    "ApiError",
    "ArgumentError",
    "AsyncClient",
    "Auth",
    "AuthContext",
    "AuthorizationError",
    "BadRequest",
    "BlockedAddress",
    "Client",
    "ClientClosed",
    "Conflict",
    "ConnectError",
    "ConnectionLost",
    "CredentialScopeError",
    "DecodeError",
    "DeviceCode",
    "DocumentError",
    "DocumentLocation",
    "DynclientError",
    "EncodeError",
    "ExpressionError",
    "Fault",
    "Forbidden",
    "Gone",
    "HMACAuth",
    "HTTPCache",
    "HTTPResult",
    "Headers",
    "InvalidDocument",
    "InvalidWebhook",
    "Limits",
    "LinkError",
    "MissingCredential",
    "NoSuchOperation",
    "NotFound",
    "OAuth2",
    "PaceTimeout",
    "PaginationError",
    "PaginationUnclear",
    "PoolTimeout",
    "Problem",
    "ProtocolError",
    "Rate",
    "RateLimited",
    "RateLimiter",
    "RedirectError",
    "ReplayedWebhook",
    "Request",
    "RequestError",
    "RequestValidationError",
    "Response",
    "ResponseError",
    "ResponseTooLarge",
    "ResponseValidationError",
    "Retry",
    "ServerError",
    "SigV4",
    "SignatureError",
    "TLSError",
    "Timeout",
    "TokenStore",
    "TransportError",
    "Unauthorized",
    "UndocumentedStatus",
    "UnexpectedMediaType",
    "UnknownWebhook",
    "UnprocessableContent",
    "UnreadableDocument",
    "UnresolvableReference",
    "UnsafeDocument",
    "UnsupportedMediaType",
    "UnsupportedVersion",
    "Validation",
    "WaitFailed",
    "WaitTimeout",
    "WebhookError",
    "load",
    "resume",
]
