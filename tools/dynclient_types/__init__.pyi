# What ``dynclient.load`` gives where a project has made no types. ``dynclient stubs`` writes a package of this name.
from dynclient._client import AsyncClient as AsyncClient
from dynclient._client import Client as Client
from dynclient._client import load as load
