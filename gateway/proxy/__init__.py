"""The proxied path: from a request's head to the last byte of a service's answer."""
