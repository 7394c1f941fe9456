// Package s3mux mounts the S3 route table on a gorilla/mux router.
//
// The invariant: every request that reaches the routes gets exactly the operation that [s3api.Match] names, on the target that
// the raw path and the Host header name; a request that is no operation, or not one that is built, is answered with
// its S3 error here. Paths are never cleaned, redirected or decoded twice.
//
// It is not the gateway: authentication, authorisation and the operations themselves are in the handlers it is given.
package s3mux

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"holdfast/gw/s3api"
)

// Request is what routing found out about a request; handlers get it from [FromContext]. It is only read.
type Request struct {
	Op     s3api.Op
	Target s3api.Target
	Query  url.Values // parsed by s3api.ParseQuery
	ID     s3api.RequestID
}

type contextKey struct{}

// FromContext returns what routing found out, or nil outside of a routed request.
func FromContext(ctx context.Context) *Request {
	req, _ := ctx.Value(contextKey{}).(*Request)
	return req
}

// Config is what routing needs to know.
type Config struct {
	Domains s3api.Domains
	IDs     *s3api.RequestIDs
	// Refused is called with each error answered here; nil is not called. It must be safe for concurrent use.
	Refused func(*http.Request, *s3api.Error)
}

// Configure sets up a router for raw S3 paths: encoded, not cleaned, trailing slashes kept. Call it on the root router before
// any route is added.
func Configure(router *mux.Router) *mux.Router {
	return router.UseEncodedPath().SkipClean(true).StrictSlash(false)
}

// Register adds to the router one route that takes every request left over by the routes before it. handler is asked once per
// operation that is built, now, for what answers it; nil leaves the operation refused.
func Register(router *mux.Router, config Config, handler func(s3api.Op) http.Handler) {
	handlers := make(map[s3api.Op]http.Handler)
	for _, op := range s3api.Ops() {
		if op.Built() {
			handlers[op] = handler(op)
		}
	}
	d := &dispatcher{config: config, handlers: handlers}
	router.MatcherFunc(func(*http.Request, *mux.RouteMatch) bool { return true }).Handler(d)
}

// dispatcher gives a request to the handler of its operation.
type dispatcher struct {
	config   Config
	handlers map[s3api.Op]http.Handler // only read
}

// ServeHTTP finds the operation and its target.
func (d *dispatcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := &Request{ID: d.config.IDs.Next()}
	h, err := d.route(r, req)
	if err != nil {
		e := s3api.WriteError(w, r, err, req.ID)
		if d.config.Refused != nil {
			d.config.Refused(r, e)
		}
		return
	}
	req.ID.SetHeaders(w.Header())
	h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, req)))
}

// route fills in req.
func (d *dispatcher) route(r *http.Request, req *Request) (http.Handler, error) {
	var err error
	if req.Target, err = d.config.Domains.Target(r.Host, r.URL.EscapedPath()); err != nil {
		return nil, err
	}
	if req.Query, err = s3api.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, err
	}
	req.Op, err = s3api.Match(r.Method, req.Target.HasBucket(), req.Target.HasKey(), req.Query, r.Header)
	if err != nil {
		return nil, err
	}
	if h := d.handlers[req.Op]; h != nil {
		return h, nil
	}
	return nil, s3api.E(s3api.NotImplemented).WithMessage("The operation " + req.Op.String() + " is not implemented")
}
