package s3api

import (
	"net/http"
	"sync/atomic"
)

// RequestID names one request to users and operators: Request is the x-amz-request-id header and the RequestId element, Host
// the x-amz-id-2 header and the HostId element.
type RequestID struct{ Request, Host string }

// SetHeaders sets both headers.
func (id RequestID) SetHeaders(h http.Header) {
	h["X-Amz-Request-Id"] = []string{id.Request}
	h["X-Amz-Id-2"] = []string{id.Host}
}

// RequestIDs makes the request ids of one run of one gateway. A request id is 32 lower-case hex digits: the gateway's
// service id, then 16 digits that no other request of the run has. Safe for concurrent use.
type RequestIDs struct {
	service uint64
	host    string
	next    atomic.Uint64
}

// NewRequestIDs returns the source of ids of the gateway. start should be random: it keeps the ids of two runs apart. The host
// id is the gateway's service id and start, so an operator can tell from it which run of which gateway answered.
func NewRequestIDs(service, start uint64) *RequestIDs {
	ids := &RequestIDs{service: service}
	host := appendHex(nil, service)
	host = append(host, '-')
	ids.host = string(appendHex(host, mix(start)))
	ids.next.Store(start)
	return ids
}

// Next returns the id of a new request.
func (ids *RequestIDs) Next() RequestID {
	var buf [32]byte
	b := appendHex(buf[:0], ids.service)
	b = appendHex(b, mix(ids.next.Add(1)))
	return RequestID{Request: string(b), Host: ids.host}
}

// mix is the finaliser of splitmix64: a bijection, so distinct counters stay distinct, that makes neighbours look unrelated and
// thus ids easy to tell apart by eye.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// appendHex appends the 16 lower-case hex digits of x.
func appendHex(dst []byte, x uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[x>>uint(shift)&15])
	}
	return dst
}
