"""dynclient, as the harness calls it."""

import dynclient

from wire import FilePart

NAME = "dynclient"


def load(openapi_path, base_url):
    return dynclient.load(openapi_path, base_url=base_url)


def close(client):
    client.close()


def call(client, method, path_template, params, body, media_type):
    operation = client.operations[f"{method.upper()} {path_template}"]
    given, credentials, accept = {}, {}, None
    for (in_, name), value in params.items():
        if in_ == "security":
            credentials[name] = value
        elif (in_, name.lower()) == ("header", "accept"):
            accept = value
        else:
            given[in_, name] = value
    if credentials:
        operation = operation.with_options(auth=credentials)
    sent = ... if media_type is None else files(body)
    try:
        data, status, _ = operation.send(given, body=sent, content_type=media_type, accept=accept)
    except dynclient.ApiError as error:
        # A documented error is what the scenario asks for as much as a documented success.
        return error.status, error.data
    return status, data


def files(body):
    """The body with the harness's files as dynclient takes them: (filename, content, content type)."""
    if isinstance(body, FilePart):
        return tuple(body)
    if isinstance(body, dict):
        return {name: files(value) for name, value in body.items()}
    return [files(item) for item in body] if isinstance(body, list) else body
