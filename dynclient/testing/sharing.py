"""What lets pages of other origins use a mock (Fetch Standard, CORS protocol): only where its owner says so."""

from __future__ import annotations

from dynclient.messages import Headers, Request, Response


def is_preflight(request: Request) -> bool:
    """Whether a browser asks if it may send another request."""
    # Fetch Standard, 3.3.2: OPTIONS with an Origin and Access-Control-Request-Method.
    asks = "origin" in request.headers and "access-control-request-method" in request.headers
    return request.method == "OPTIONS" and asks


def preflight(request: Request) -> Response:
    """Allow what is asked for."""
    return shared(
        request,
        Response(
            204,
            Headers(
                {
                    "Access-Control-Allow-Methods": request.headers["access-control-request-method"],
                    # A wildcard would leave out Authorization (Fetch Standard, 3.3.3).
                    "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", "*"),
                    "Access-Control-Max-Age": "600",
                }
            ),
        ),
    )


def shared(request: Request, response: Response) -> Response:
    """The response, open to the page that asked."""
    if "origin" not in request.headers:
        return response
    opened = {
        "Access-Control-Allow-Origin": request.headers["origin"],
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": ", ".join(response.headers) or "*",
        "Vary": "Origin",
    }
    return response._replace(headers=Headers((*response.headers.pairs(), *opened.items())))
