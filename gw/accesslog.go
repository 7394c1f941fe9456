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

// logConfig returns where requests to a bucket are logged; false if they are not.
func (g *Gateway) logConfig(b *volume.Bucket) (s3api.LoggingConfig, bool) {
	if g.accessLog == nil {
		return s3api.LoggingConfig{}, false
	}
	c, ok, err := parseSetting(&g.parsed, b, "logging", s3api.DecodeLogging)
	return c, err == nil && ok && c.Enabled()
}

// logAccess adds the request to the access log of its bucket, if that has one, and to that of the source of a copy. Also what was refused
// is logged.
func (q *request) logAccess() {
	if q.g.accessLog == nil || !q.target.HasBucket() {
		return
	}
	q.logCopied()
	b := q.loaded
	if b == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(q.ctx), findWithin)
		defer cancel()
		var err error
		if b, err = q.g.volume.Bucket(ctx, q.target.Bucket); err != nil {
			return
		}
	}
	if c, ok := q.g.logConfig(b); ok {
		r := q.accessRecord(b)
		q.g.accessLog.Add(&r, c)
	}
}

// copied is what a copy reads.
type copied struct {
	bucket *volume.Bucket
	from   s3api.CopySource
	size   int64 // -1: not known
}

// logCopied adds the reading of a copy's source to the log of the source's bucket.
func (q *request) logCopied() {
	if q.copied == nil {
		return
	}
	c, ok := q.g.logConfig(q.copied.bucket)
	if !ok {
		return
	}
	r := q.accessRecord(q.copied.bucket)
	r.Operation = accesslog.CopySource
	if q.op == s3api.OpUploadPartCopy {
		r.Operation = accesslog.CopyPartSource
	}
	from := &q.copied.from
	r.Bucket, r.Key, r.Version, r.Sent, r.ObjectSize = from.Bucket, from.Key, from.VersionID, 0, q.copied.size
	q.g.accessLog.Add(&r, c)
}

// batchLog logs the keys of a DeleteObjects. Where nothing is logged it is nil.
type batchLog struct {
	to     *accesslog.Log
	config s3api.LoggingConfig
	record accesslog.Record // what the lines of all keys say
}

func (q *request) batchLog(b *volume.Bucket) *batchLog {
	c, ok := q.g.logConfig(b)
	if !ok {
		return nil
	}
	l := &batchLog{to: q.g.accessLog, config: c, record: q.accessRecord(b)}
	r := &l.record
	r.Operation, r.URI, r.Referer, r.UserAgent, r.Error, r.Sent = accesslog.BatchDelete, "", "", "", "", 0
	r.ObjectSize, r.Total, r.TurnAround = -1, -1, -1
	return l
}

// deleted adds the line of a key. refused is nil if it was deleted.
func (l *batchLog) deleted(o *s3api.DeleteObject, refused *s3api.Error) {
	if l == nil {
		return
	}
	r := l.record
	r.Key, r.Version, r.Status = o.Key, o.VersionID, http.StatusNoContent
	if refused != nil {
		r.Status, r.Error = refused.Status(), string(refused.Code)
	}
	l.to.Add(&r, l.config)
}

// accessRecord is what the access log tells of the request.
func (q *request) accessRecord(b *volume.Bucket) accesslog.Record {
	h := q.r.Header
	r := accesslog.Record{
		Owner: b.Info().Owner, Bucket: q.target.Bucket, Time: q.begun, Address: q.address(), Requester: q.requester(),
		Request: q.id.Request, Operation: accesslog.Operation(q.op), Key: q.target.Key,
		URI: q.r.Method + " " + q.r.RequestURI + " " + q.r.Proto, Status: q.w.status, Error: q.w.code, Sent: q.w.bytes,
		ObjectSize: q.objectSize(), Total: time.Since(q.begun), TurnAround: q.turnAround(), Referer: h.Get("Referer"), UserAgent: h.Get("User-Agent"),
		Version: q.query.Get("versionId"), Host: q.id.Host, HostHeader: q.r.Host, ByList: q.byList,
	}
	if q.site != nil {
		r.Operation = accesslog.Website(q.op)
	}
	if scheme, err := sigv4.SchemeOf(q.r); err == nil && q.signed {
		switch scheme { // that of a form is in neither
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

// requester is the caller as access logs name it: a user by its id, a service account by its ARN; "" if anonymous.
func (q *request) requester() string {
	if q.caller.Service == "" {
		return q.caller.User
	}
	return "arn:aws:iam::" + q.caller.User + ":user/" + q.caller.Service
}

// turnAround is how long the answer took after the last byte of the request had come; -1 if that byte never came.
func (q *request) turnAround() time.Duration {
	switch {
	case q.w.answered.IsZero():
		return -1
	case !q.body.ended.IsZero():
		return max(q.w.answered.Sub(q.body.ended), 0)
	case bodyIsDone(q.r):
		return q.w.answered.Sub(q.begun)
	}
	return -1
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
