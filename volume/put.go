package volume

import (
	"context"
	"io"
	"time"

	"holdfast"
	"holdfast/volume/path"
)

// PutRequest describes a new object.
type PutRequest struct {
	// Entry is what is stored beside the bytes: Owner, StorageClass, Headers, ACL, Tags, Lock, POSIX, Sealed, and ETag and
	// Checksum if they are known beforehand. Size, Version, Content and Modified (if zero) are filled in.
	Entry holdfast.Entry
	If    holdfast.Conditions

	// Body is read to its end, by one goroutine. An error of it other than io.EOF is returned as it is and
	// nothing is stored. It may be nil for an empty object.
	Body io.Reader
	Size int64 // of the body; -1 when not known. A body of another length is Aborted

	// Finish, if set, is called once after the end of the body and before the commit, to fill in what was learned from the
	// bytes (ETag, Checksum) or to refuse them: its error is returned as it is and nothing is stored. Size is set
	// by then; of a sealed entry Finish makes it the plain one. It is never called again if the bytes are stored again.
	Finish func(*holdfast.Entry) error
}

// PutResult is what a put or a complete brings back.
type PutResult struct {
	Entry   holdfast.Entry // as stored
	Created bool           // there was no visible current version before
}

// Put stores an object and makes it the current version of its key. It returns when the bytes and the name are durable; after any
// error except Unknown nothing of it is visible. Bodies up to Options.ReplaySize survive the failure of an object
// server; for larger ones memory stays bounded.
//
// Kinds: Precondition and NotFound (see [holdfast.Conditions]), NotFound with [ErrNoBucket] when the bucket is gone, NoSpace,
// TooLarge (a key over 1024 bytes, a body over holdfast.MaxObjectSize), Locked, QuotaExceeded.
func (b *Bucket) Put(ctx context.Context, key string, req PutRequest) (_ PutResult, err error) {
	start := time.Now()
	defer func() { b.vol.metrics.done(opPut, start, err) }()
	return b.put(ctx, opPut, key, req)
}

func (b *Bucket) put(ctx context.Context, o op, key string, req PutRequest) (PutResult, error) {
	if err := checkKey(o.String(), key); err != nil {
		return PutResult{}, err
	}
	if req.Size > holdfast.MaxObjectSize {
		return PutResult{}, fail(o.String(), holdfast.TooLarge, key)
	}
	grows := func(ctx context.Context) (int64, error) { return b.growth(ctx, key, req.Size) }
	if err := b.mayHold(ctx, o.String(), key, req.Size, grows); err != nil {
		return PutResult{}, err
	}
	if err := b.mayCreate(ctx, key, req.If); err != nil {
		return PutResult{}, wrap(o.String(), key, err)
	}
	entry := req.Entry
	body := creation{bucket: b, key: key, body: req.Body, size: req.Size}
	body.finish = func(size int64) error {
		entry.Size = size
		if req.Finish == nil {
			return nil
		}
		return req.Finish(&entry)
	}
	defer body.release()
	name := key[len(path.Dir(key)):]
	c := change{
		op: o.String(), key: key, create: !needsExisting(req.If), absent: absence(req.If), doomed: body.doomed,
		ops: func(ctx context.Context, at place) ([]holdfast.Op, error) {
			link, err := body.at(ctx, at.dir)
			if err != nil {
				return nil, err
			}
			entry.Content = holdfast.Content{Link: link}
			put := holdfast.PutEntry{
				Dir: at.dir, Name: name, Entry: entry,
				Versioning: at.bucket.Versioning, If: req.If, Bucket: at.check(),
			}
			return []holdfast.Op{put}, nil
		},
	}
	c.grows = func(ctx context.Context) (int64, error) { return b.growth(ctx, key, entry.Size) }
	replies, err := b.apply(ctx, &c)
	if err != nil {
		return PutResult{}, body.failed(ctx, &c, err)
	}
	reply := &replies[len(replies)-1]
	return PutResult{Entry: reply.Entry, Created: reply.Created}, nil
}

// failed ends a creation whose commit did not come about, and returns the error to give back.
func (c *creation) failed(ctx context.Context, ch *change, err error) error {
	if !ch.unsure {
		c.giveUp(ctx)
	}
	if c.err != nil {
		return c.err
	}
	if ch.unsure && c.link.IsZero() && (holdfast.Is(err, holdfast.Precondition) || holdfast.Is(err, holdfast.NotFound)) {
		// Without a link a name server cannot tell that it sees the same commit twice: the condition may have failed on our
		// own first attempt.
		err = holdfast.E("volume.commit", holdfast.Unknown, err)
	}
	return wrap(ch.op, ch.key, err)
}

// needsExisting reports whether a condition can only hold if the key exists.
func needsExisting(c holdfast.Conditions) bool {
	return c.IfMatch != nil || c.IfMatchAny || c.IfSize != nil || c.IfModified != nil
}

// absence is how a change with conditions fails where there is nothing, as the name servers have it.
func absence(c holdfast.Conditions) holdfast.Kind {
	if needsExisting(c) && c.IfMatch == nil && !c.IfMatchAny {
		return holdfast.Precondition
	}
	return holdfast.NotFound
}

// mayCreate spares the bytes of a put that must not replace anything when there is something already. The commit decides.
func (b *Bucket) mayCreate(ctx context.Context, key string, c holdfast.Conditions) error {
	if !c.IfNoneMatch {
		return nil
	}
	qs := [1]question{newQuestion(key, holdfast.Lookup{Want: holdfast.WantEntry})}
	b.ask(ctx, qs[:])
	if qs[0].answer.Err == nil {
		return fail("commit", holdfast.Precondition, "")
	}
	return nil
}
