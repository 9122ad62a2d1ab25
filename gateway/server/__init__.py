"""An HTTP/1.1 server for the gateway: an asyncio protocol that uvicorn's server runs.

uvicorn's own protocol has no deadline for receiving a request and hands every byte through ASGI.
This one bounds heads and bodies in size and time, gives proxied requests to the gateway as they
are, hands connections over to tunnels, and serves ASGI for the rest.
"""
