package gw

import (
	"net/http"

	"holdfast/volume"
)

// noteOrigin lets what the request changes be told from whom it came, for event notification.
func (q *request) noteOrigin() {
	if q.r.Method == http.MethodGet || q.r.Method == http.MethodHead {
		return
	}
	q.ctx = volume.WithOrigin(q.ctx, &volume.Origin{
		Event: q.op.String(), Requester: q.caller.User, Address: q.address(), Request: q.id.Request, Host: q.id.Host,
	})
}

// address returns the address of the client, as far as trusted proxies tell it; "" if it is not known.
func (q *request) address() string {
	if a := q.set.proxies.clientAddr(q.r); a.IsValid() {
		return a.String()
	}
	return ""
}
