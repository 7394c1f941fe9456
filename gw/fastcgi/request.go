package fastcgi

import (
	"net/http"
	"net/http/fcgi"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// TargetParam is the FastCGI parameter with the request's target as the client sent it. The customary REQUEST_URI is not enough:
// net/http/fcgi takes a path that begins with two slashes for a host, so web servers are told to leave that out.
const TargetParam = "HOLDFAST_REQUEST_URI"

// serve answers one request of the connection.
func (c *conn) serve(w http.ResponseWriter, r *http.Request) {
	if !c.server.begin() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	c.begun.Add(1)
	defer c.cutOff(r)
	if err := c.restore(r); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.server.handler.ServeHTTP(&responseWriter{ResponseWriter: w, conn: c}, r)
	_ = c.SetDeadline(time.Time{}) // the next request begins without one; a connection that is gone needs none
}

// cutOff closes the connection under a handler that panicked, which is how the web server learns that the answer is not whole.
// As in net/http a panic costs its request and never the process, and one that is not http.ErrAbortHandler is logged.
func (c *conn) cutOff(r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause != http.ErrAbortHandler {
		c.server.log.Error("panic in a request", "method", r.Method, "target", r.RequestURI, "cause", cause, "stack", string(debug.Stack()))
	}
	_ = c.Close()
}

// restore makes of r what net/http would have made of the request. What the parameters say of the client's address and of TLS does not
// count: anybody who can connect could write them. As over HTTP, the headers X-Forwarded-For and X-Forwarded-Proto tell,
// and the handler knows whom to believe.
func (c *conn) restore(r *http.Request) error {
	r.RemoteAddr, r.TLS = c.RemoteAddr().String(), nil
	r.RequestURI = r.URL.RequestURI()
	if target := fcgi.ProcessEnv(r)[TargetParam]; target != "" {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return err
		}
		r.URL, r.RequestURI = u, target
	}
	if strings.EqualFold(r.Header.Get("Transfer-Encoding"), "chunked") {
		r.ContentLength = -1
		r.TransferEncoding = []string{"chunked"}
	}
	for _, hop := range []string{"Transfer-Encoding", "Expect", "Connection"} { // between the client and the web server
		r.Header.Del(hop)
	}
	if r.ContentLength > 0 {
		r.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10)) // of 0 it stays as it was sent
	}
	if types := r.Header["Content-Type"]; len(types) > 1 {
		r.Header["Content-Type"] = types[:1] // once as a parameter of its own, once among the headers
	}
	if r.ContentLength == 0 {
		r.Body = http.NoBody
	}
	return nil
}

// responseWriter gives an [http.ResponseController] the deadlines of the connection. A web server has one request at a time
// under way on a connection, so they are the request's.
type responseWriter struct {
	http.ResponseWriter
	conn *conn
}

// SetReadDeadline is for http.ResponseController.
func (w *responseWriter) SetReadDeadline(t time.Time) error { return w.conn.SetReadDeadline(t) }

// SetWriteDeadline is for http.ResponseController.
func (w *responseWriter) SetWriteDeadline(t time.Time) error { return w.conn.SetWriteDeadline(t) }

// Unwrap is for http.ResponseController.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
