package gw

import "net/netip"

// proxies are the networks of the proxies in front of the gateway. What they say about the client is believed, what others say is not:
// anybody can send the headers.
type proxies []netip.Prefix
