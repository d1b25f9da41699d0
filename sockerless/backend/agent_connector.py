"""How the daemon's HTTP client reaches an agent: TLS over TCP, or over a pipe when the agent is one that calls.

Owns the connector behind the agents' URLs: an address is dialled, a host of callback.host_of() is asked for a pipe.
What both yield is the same: TLS with the agent as server, its certificate pinned.
"""

from __future__ import annotations

import hashlib
import ssl

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace

from sockerless.backend.callback import Callbacks, agent_of


class AgentConnector(aiohttp.TCPConnector):
    """No pool and no limit; peers that vanish are given up. A request through a pipe needs an aiohttp.Fingerprint."""

    def __init__(self, callbacks: Callbacks) -> None:
        super().__init__(force_close=True, limit=0)
        self._callbacks = callbacks
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        agent_id = agent_of(req.url.host or "")
        if agent_id is None:
            dialled = await super()._create_connection(req, traces, timeout)
            self._callbacks.peers.watch(dialled.transport)
            return dialled
        return await self._through_pipe(agent_id, req.ssl)

    async def _through_pipe(self, agent_id: str, pin: object) -> ResponseHandler:
        if not isinstance(pin, aiohttp.Fingerprint):
            raise TypeError("an agent is reached with its certificate's fingerprint only")
        near = await self._callbacks.pipe(agent_id)
        try:
            transport, protocol = await self._loop.create_connection(
                lambda: ResponseHandler(self._loop), sock=near, ssl=self._tls, server_hostname=""
            )
        except BaseException:
            near.close()
            raise
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        found = hashlib.sha256(certificate).digest()
        if found != pin.fingerprint:
            transport.abort()
            raise aiohttp.ServerFingerprintMismatch(pin.fingerprint, found, agent_id, 0)
        return protocol
