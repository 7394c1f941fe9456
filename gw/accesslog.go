package gw

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast/gw/accesslog"
	"holdfast/gw/s3api"
	"holdfast/gw/sigv4"
	"holdfast/volume"
)

// findWithin bounds the look for the bucket of a request that was refused before anybody asked for it.
const findWithin = time.Second

// logAccess adds the request to the access log of its bucket, if that has one. Also what was refused is logged.
func (q *request) logAccess() {
	if q.g.accessLog == nil || !q.target.HasBucket() {
		return
	}
	b := q.loaded
	if b == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(q.ctx), findWithin)
		defer cancel()
		var err error
		if b, err = q.g.volume.Bucket(ctx, q.target.Bucket); err != nil {
			return
		}
	}
	c, ok, err := parseSetting(&q.g.parsed, b, "logging", s3api.DecodeLogging)
	if err != nil || !ok || !c.Enabled() {
		return
	}
	r := q.accessRecord(b)
	q.g.accessLog.Add(&r, c)
}

// accessRecord is what the access log tells of the request.
func (q *request) accessRecord(b *volume.Bucket) accesslog.Record {
	h := q.r.Header
	r := accesslog.Record{
		Owner: b.Info().Owner, Bucket: q.target.Bucket, Time: q.begun, Address: q.address(), Requester: q.caller.User,
		Request: q.id.Request, Operation: accesslog.Operation(q.op), Key: q.target.Key,
		URI: q.r.Method + " " + q.r.RequestURI + " " + q.r.Proto, Status: q.w.status, Error: q.w.code, Sent: q.w.bytes,
		ObjectSize: q.objectSize(), Total: time.Since(q.begun), TurnAround: -1, Referer: h.Get("Referer"), UserAgent: h.Get("User-Agent"),
		Version: q.query.Get("versionId"), Host: q.id.Host, HostHeader: q.r.Host,
	}
	if bodyIsDone(q.r) && !q.w.answered.IsZero() { // else the time that the body took would be in it
		r.TurnAround = q.w.answered.Sub(q.begun)
	}
	if scheme, err := sigv4.SchemeOf(q.r); err == nil && q.signed {
		switch scheme {
		case sigv4.HeaderV4, sigv4.HeaderV2:
			r.Auth = "AuthHeader"
		case sigv4.QueryV4, sigv4.QueryV2:
			r.Auth = "QueryString"
		}
		r.Signature = "SigV4"
		if scheme == sigv4.HeaderV2 || scheme == sigv4.QueryV2 {
			r.Signature = "SigV2"
		}
	}
	if tls := q.r.TLS; tls != nil {
		r.Cipher, r.TLS = accesslog.Cipher(tls.CipherSuite), accesslog.TLSVersion(tls.Version)
	}
	return r
}

// objectSize returns the size of the object that the request was about, as far as the answer tells; -1 if it does not.
func (q *request) objectSize() int64 {
	switch q.op {
	case s3api.OpPutObject, s3api.OpUploadPart:
		if q.w.code == "" {
			return q.body.size()
		}
	case s3api.OpGetObject, s3api.OpHeadObject:
		text := q.w.Header().Get("Content-Length")
		if _, total, ok := strings.Cut(q.w.Header().Get("Content-Range"), "/"); ok {
			text = total
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && (q.w.status == http.StatusOK || q.w.status == http.StatusPartialContent) {
			return n
		}
	}
	return -1
}
