package gw

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the networks of the proxies in front of the gateway. What they say about the client is believed, what others say is not:
// anybody can send the headers.
type proxies []netip.Prefix

func (p proxies) trust(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// maxForwarded bounds how many addresses of X-Forwarded-For are looked at.
const maxForwarded = 32

// clientAddr returns the address of the client. X-Forwarded-For is read from right to left, as far as trusted proxies wrote it: the
// first address that is no trusted proxy's is the client's. The zero Addr is unknown.
func (p proxies) clientAddr(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := at.Addr().Unmap().WithZone("")
	if !p.trust(client) {
		return client
	}
	rest := strings.Join(r.Header["X-Forwarded-For"], ",")
	for range maxForwarded {
		comma := strings.LastIndexByte(rest, ',')
		hop, ok := parseHop(strings.TrimSpace(rest[comma+1:]))
		if !ok {
			return client // nothing, or nothing that an address could be told from: the last one known is a proxy's
		}
		if client = hop; comma < 0 || !p.trust(client) {
			return client
		}
		rest = rest[:comma]
	}
	return client
}

// parseHop reads an address as proxies write it, with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

// secure reports whether the client's connection was encrypted, to us or to a trusted proxy.
func (p proxies) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if len(p) == 0 {
		return false
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.trust(at.Addr().Unmap().WithZone("")) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
