package bench

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"strconv"

	"holdfast/tools/bench/sign"
)

// op is a kind of operation, as the report tells them apart.
type op int

const (
	opPut op = iota
	opGet
	opStat
	opList
	opDelete
	opMultipart // a whole upload: create, all parts, complete
	opCreateUpload
	opUploadPart
	opCompleteUpload
	numOps
)

var opNames = [numOps]string{"put", "get", "stat", "list", "delete", "multipart",
	"multipart-create", "multipart-part", "multipart-complete"}

func (o op) String() string { return opNames[o] }

// outcome is what a successful operation moved.
type outcome struct {
	bytes int64 // of object content
	keys  int64 // listed or deleted
}

// put writes the object of that index.
func (w *worker) put(ctx context.Context, index uint64) (outcome, error) {
	c := w.client
	c.objectPath(index)
	c.object = c.source.Object(index, c.o.size.of(c.o.seed, index))
	return outcome{bytes: c.object.Size()}, c.upload(ctx, 0, c.object.Size())
}

// get reads it back.
func (w *worker) get(ctx context.Context, index uint64) (outcome, error) {
	c := w.client
	c.objectPath(index)
	c.object = c.source.Object(index, c.o.size.of(c.o.seed, index))
	c.check.reset(&c.object, c.o.verify)
	if err := c.call(ctx, "GET", nil, "", &c.check); err != nil {
		return outcome{}, err
	}
	if err := c.check.result(); err != nil {
		return outcome{}, fmt.Errorf("%s: %w", c.o.keys.name(index), err)
	}
	return outcome{bytes: c.object.Size()}, nil
}

// stat asks for its metadata.
func (w *worker) stat(ctx context.Context, index uint64) (outcome, error) {
	c := w.client
	c.objectPath(index)
	if err := c.call(ctx, "HEAD", nil, "", nil); err != nil {
		return outcome{}, err
	}
	if want := c.o.size.of(c.o.seed, index); c.o.verify && c.resp.ContentLength != want {
		return outcome{}, fmt.Errorf("%s: %w", c.o.keys.name(index), &mismatch{fmt.Sprintf("Content-Length %d instead of %d", c.resp.ContentLength, want)})
	}
	return outcome{}, nil
}

// remove deletes count objects from index on: one by DELETE, more by a
// multi-object delete.
func (w *worker) remove(ctx context.Context, index, count uint64) (outcome, error) {
	c := w.client
	if count == 1 {
		c.objectPath(index)
		return outcome{keys: 1}, c.call(ctx, "DELETE", nil, "", nil)
	}
	w.body = append(w.body[:0], `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>`...)
	for i := range count {
		w.body = append(w.body, "<Object><Key>"...)
		w.body = c.o.keys.appendXML(w.body, index+i)
		w.body = append(w.body, "</Key></Object>"...)
	}
	w.body = append(w.body, "</Delete>"...)
	sum := md5.Sum(w.body)
	c.bucketPath("delete=")
	c.doc.reset()
	err := c.call(ctx, "POST", w.body, "Content-MD5: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n", &c.doc)
	if err != nil {
		return outcome{}, err
	}
	// In quiet mode the answer lists only what failed.
	if failed := bytes.Count(c.doc.data, []byte("<Error>")); failed > 0 {
		e := parseS3Error(200, c.doc.data)
		e.message = fmt.Sprintf("%d of %d keys, the first: %s", failed, count, e.message)
		return outcome{}, e
	}
	return outcome{keys: int64(count)}, nil
}

// cursor is where a worker's listing stands.
type cursor struct {
	token string
	last  []byte // the last name seen, for --verify
	keys  int64  // in this listing so far
}

// list reads one page. more is false at the end of a listing, after which the
// next call starts over.
func (w *worker) list(ctx context.Context, pageSize int) (out outcome, more bool, err error) {
	c, cur := w.client, &w.cursor
	c.bucketPath("")
	if cur.token != "" {
		c.query = sign.AppendQuery(append(c.query, "continuation-token="...), cur.token)
		c.query = append(c.query, '&')
	}
	if c.o.delimiter != "" {
		c.query = sign.AppendQuery(append(c.query, "delimiter="...), c.o.delimiter)
		c.query = append(c.query, '&')
	}
	c.query = strconv.AppendInt(append(c.query, "list-type=2&max-keys="...), int64(pageSize), 10)
	c.query = sign.AppendQuery(append(c.query, "&prefix="...), c.o.keys.prefix)
	c.doc.reset()
	if err := c.call(ctx, "GET", nil, "", &c.doc); err != nil {
		return outcome{}, false, err
	}
	out.keys = int64(bytes.Count(c.doc.data, []byte("<Key>")) + bytes.Count(c.doc.data, []byte("<CommonPrefixes>")))
	cur.keys += out.keys
	if c.o.verify {
		err = w.checkPage()
	}
	cur.token = element(c.doc.data, "NextContinuationToken")
	if more = cur.token != ""; !more {
		*cur = cursor{}
	}
	return out, more, err
}

// checkPage wants names in strictly ascending order across pages, and no
// fewer of them than there are objects.
func (w *worker) checkPage() error {
	cur, rest := &w.cursor, w.client.doc.data
	for {
		_, after, ok := bytes.Cut(rest, []byte("<Key>"))
		if !ok {
			break
		}
		key, tail, _ := bytes.Cut(after, []byte("</Key>"))
		if bytes.Compare(key, cur.last) <= 0 {
			return &mismatch{fmt.Sprintf("listing has %q after %q", key, cur.last)}
		}
		cur.last = append(cur.last[:0], key...)
		rest = tail
	}
	o := w.client.o
	last := element(w.client.doc.data, "NextContinuationToken") == ""
	if last && o.workload == "list" && o.delimiter == "" && cur.keys < o.objects {
		return &mismatch{fmt.Sprintf("listing has %d names of %d", cur.keys, o.objects)}
	}
	return nil
}
