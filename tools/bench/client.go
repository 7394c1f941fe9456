package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"holdfast/tools/bench/payload"
	"holdfast/tools/bench/sign"
	"holdfast/tools/bench/wire"
)

const (
	// maxDocument bounds an XML body that is kept: a page of 1,000 names of
	// 1,024 escaped bytes stays well below.
	maxDocument = 8 << 20
	// lastWords is how long a server that stopped reading a body has to say
	// why.
	lastWords = time.Second
)

// client is one worker's connection and the buffers its requests are formed
// in. It is not safe for concurrent use.
type client struct {
	o      *options
	source *payload.Source
	conn   *wire.Conn
	unhook func() bool // detaches conn from the context
	down   bool        // the last attempt to connect failed
	signer *sign.Signer
	hasher *payload.Hasher

	path, query, head, hash []byte
	pieces                  [][]byte
	resp                    wire.Response
	doc                     document
	object                  payload.Object
	check                   checker
}

func newClient(o *options, source *payload.Source, cache *payload.Cache) *client {
	return &client{o: o, source: source, signer: sign.New(o.cred, o.region, o.host), hasher: payload.NewHasher(cache)}
}

// close closes the connection, if there is one.
func (c *client) close() {
	if c.conn != nil {
		c.unhook()
		_ = c.conn.Close() // nothing is buffered in it
		c.conn = nil
	}
}

// bucketPath starts a request on the bucket.
func (c *client) bucketPath(query string) {
	c.path = append(append(c.path[:0], '/'), c.o.bucket...)
	c.query = append(c.query[:0], query...)
}

// objectPath starts a request on the object of that index.
func (c *client) objectPath(index uint64) {
	c.bucketPath("")
	c.path = c.o.keys.appendPath(append(c.path, '/'), index)
}

// call sends a request without a body, or with a small document, and reads
// the answer; a successful one into sink (nil discards it).
func (c *client) call(ctx context.Context, method string, doc []byte, extra string, sink wire.Sink) error {
	c.pieces = c.pieces[:0]
	c.hash = append(c.hash[:0], sign.EmptyPayload...)
	if len(doc) > 0 {
		c.pieces = append(c.pieces, doc)
		sum := sha256.Sum256(doc)
		c.hash = hex.AppendEncode(c.hash[:0], sum[:])
	}
	return c.exchange(ctx, method, int64(len(doc)), extra, sink)
}

// upload sends bytes [from, from+n) of c.object.
func (c *client) upload(ctx context.Context, from, n int64) error {
	c.pieces = c.object.Pieces(c.pieces[:0], from, n)
	if c.o.unsigned {
		c.hash = append(c.hash[:0], sign.UnsignedPayload...)
	} else {
		c.hash = c.hasher.AppendHex(c.hash[:0], &c.object, from, n)
	}
	return c.exchange(ctx, "PUT", n, "", nil)
}

// exchange is one request and its response over the connection, which is
// dialled if need be and dropped after anything irregular.
func (c *client) exchange(ctx context.Context, method string, length int64, extra string, sink wire.Sink) error {
	if c.conn == nil {
		conn, err := wire.Dial(ctx, c.o.endpoint)
		if c.down = err != nil; c.down {
			return err
		}
		c.conn, c.unhook = conn, context.AfterFunc(ctx, conn.Interrupt)
	}
	now := time.Now()
	c.formHead(now, method, length, extra)
	if err := c.conn.Send(now, c.head, c.pieces); err != nil {
		return c.refused(err)
	}
	err := c.receive(method == "HEAD", sink)
	if c.conn != nil && (err != nil && !isAnswer(err) || !c.conn.Reusable(&c.resp)) {
		c.close()
	}
	return err
}

// formHead writes the request head into c.head.
func (c *client) formHead(now time.Time, method string, length int64, extra string) {
	b := append(append(c.head[:0], method...), ' ')
	b = append(b, c.path...)
	if len(c.query) > 0 {
		b = append(append(b, '?'), c.query...)
	}
	b = append(append(b, " HTTP/1.1\r\nHost: "...), c.o.host...)
	b = append(b, "\r\n"...)
	b = c.signer.Append(b, now, sign.Request{Method: method, Path: c.path, Query: c.query, PayloadHash: c.hash})
	if method == "PUT" || method == "POST" {
		b = strconv.AppendInt(append(b, "Content-Length: "...), length, 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, extra...)
	c.head = append(b, "\r\n"...)
}

// receive reads a response. An answer other than a success is an s3Error.
func (c *client) receive(head bool, sink wire.Sink) error {
	if err := c.conn.ReadHead(&c.resp); err != nil {
		return err
	}
	if c.resp.Status >= 200 && c.resp.Status < 300 {
		_, err := c.conn.ReadBody(&c.resp, head, sink)
		return err
	}
	c.doc.reset()
	if _, err := c.conn.ReadBody(&c.resp, head, &c.doc); err != nil {
		return err
	}
	return parseS3Error(c.resp.Status, c.doc.data)
}

// refused handles a request that could not be sent to its end: the server may
// have answered before it stopped reading, and then its answer says more than
// the broken pipe does.
func (c *client) refused(sendErr error) error {
	defer c.close()
	c.conn.Extend(time.Now(), lastWords)
	if err := c.receive(false, nil); isAnswer(err) {
		return err
	}
	return sendErr
}

// isAnswer reports whether err came in a complete response, after which the
// connection is in step.
func isAnswer(err error) bool {
	_, ok := err.(*s3Error)
	return ok
}

// document keeps a body.
type document struct{ data []byte }

func (d *document) reset() { d.data = d.data[:0] }

// Consume appends p, up to maxDocument.
func (d *document) Consume(p []byte) error {
	if len(d.data)+len(p) > maxDocument {
		return fmt.Errorf("malformed response: a document of more than %d bytes", maxDocument)
	}
	d.data = append(d.data, p...)
	return nil
}

// checker follows the body of an object: its length always, its bytes if
// verify is set.
type checker struct {
	object *payload.Object
	verify bool
	pos    int64
	bad    int64 // offset of the first wrong byte, -1: none
}

func (k *checker) reset(o *payload.Object, verify bool) { *k = checker{o, verify, 0, -1} }

// Consume never fails: a wrong body is read to its end, so that the connection
// stays in step.
func (k *checker) Consume(p []byte) error {
	if k.verify && k.bad < 0 {
		k.bad = k.object.Check(k.pos, p)
	}
	k.pos += int64(len(p))
	return nil
}

// result is nil if the body was the object's.
func (k *checker) result() error {
	switch {
	case k.pos != k.object.Size():
		return &mismatch{fmt.Sprintf("%d bytes instead of %d", k.pos, k.object.Size())}
	case k.bad >= 0:
		return &mismatch{fmt.Sprintf("first wrong byte at offset %d of %d", k.bad, k.object.Size())}
	}
	return nil
}

func unescapeXML(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#34;", `"`, "&apos;", "'", "&#39;", "'",
		"&#13;", "\r", "&#10;", "\n", "&#xA;", "\n", "&#xD;", "\r", "&amp;", "&").Replace(s)
}
