package gw

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"holdfast"
	"holdfast/gw/s3api"
)

// NewNull makes a gateway without a store behind it: it parses, authenticates and answers like [New]'s, discards the bodies of
// puts, and invents those of gets, as long as the last put under the same first segment of the key was. It is the baseline that `make bench` compares a store
// with: the rest is what storing costs. Options.Volume is not used.
func NewNull(opts Options) *Gateway {
	n := &null{}
	return newGateway(opts, map[s3api.Op]handler{
		s3api.OpCreateBucket:  n.done,
		s3api.OpHeadBucket:    n.done,
		s3api.OpListObjectsV2: n.list,
		s3api.OpDeleteObject:  n.gone,
		s3api.OpDeleteBucket:  n.gone,
		s3api.OpPutObject:     n.put,
		s3api.OpHeadObject:    n.get,
		s3api.OpGetObject:     n.get,
	})
}

// null remembers how long the last body was, by the first segment of the key: enough for a load generator that checks
// lengths, and bounded by its prefixes.
type null struct{ sizes sync.Map } // first segment of a key → *atomic.Int64

func (n *null) size(q *request) *atomic.Int64 {
	prefix, _, _ := strings.Cut(q.target.Key, "/")
	if v, ok := n.sizes.Load(prefix); ok {
		return v.(*atomic.Int64)
	}
	v, _ := n.sizes.LoadOrStore(prefix, new(atomic.Int64))
	return v.(*atomic.Int64)
}

// invented is what null objects consist of.
var invented [1 << 20]byte

func (n *null) done(q *request) error {
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (n *null) gone(q *request) error {
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (n *null) list(q *request) error {
	return q.sendXML(func(dst []byte) []byte {
		return s3api.BeginListV2(dst, &s3api.ListV2{Bucket: q.target.Bucket}).EndV2(false, "")
	})
}

func (n *null) put(q *request) error {
	if q.body.size() < 0 {
		return s3api.E(s3api.MissingContentLength)
	}
	if _, err := io.Copy(io.Discard, &q.body); err != nil {
		return err
	}
	n.size(q).Store(q.body.size())
	q.w.Header()["Etag"] = []string{quotedETag(holdfast.ETag{})}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (n *null) get(q *request) error {
	left := n.size(q).Load()
	h := q.w.Header()
	h["Etag"] = []string{quotedETag(holdfast.ETag{})}
	h["Content-Length"] = []string{strconv.FormatInt(left, 10)}
	q.w.WriteHeader(http.StatusOK)
	if q.r.Method == http.MethodHead {
		return nil
	}
	for left > 0 {
		n, err := q.w.Write(invented[:min(left, int64(len(invented)))])
		if err != nil {
			return nil // the client is gone
		}
		left -= int64(n)
	}
	return nil
}
