package volume

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"holdfast"
)

// creation is a body on its way to become an object. A small body is read whole first and can be stored any number of
// times; a large one streams once, after which its bytes can still be copied from where they are.
type creation struct {
	bucket *Bucket
	key    string
	body   io.Reader
	size   int64                  // of the body; -1: not known
	finish func(size int64) error // called once, when the whole body was seen

	loaded bool
	large  bool
	kept   []byte // the body if it is small, else what was read of it to find that out
	buf    *[]byte

	stored bool
	link   holdfast.Link // of the bytes if they are stored; zero for none
	err    error         // what ended the body; final
}

// smallBuffers recycles the buffers of small bodies up to smallBody, so that a small put allocates none.
var smallBuffers = sync.Pool{New: func() any { b := make([]byte, smallBody+1); return &b }}

const smallBody = 64 << 10

// errSpent is the cause of failing when a large body would have to be sent again.
var errSpent = errors.New("the body was streamed and cannot be stored again")

// release gives the buffer back. The creation must not be used afterwards.
func (c *creation) release() {
	if c.buf != nil {
		smallBuffers.Put(c.buf)
		c.buf, c.kept = nil, nil
	}
}

// at returns a link to the bytes whose fate is kept by the name server of dir, storing them there if need be.
func (c *creation) at(ctx context.Context, dir holdfast.DirID) (holdfast.Link, error) {
	if err := c.load(); err != nil {
		return holdfast.Link{}, err
	}
	r := c.bucket.vol.router
	if c.stored && (c.link.IsZero() || r.sameServer(c.link.Home, dir.Slot())) {
		return c.link, nil
	}
	if c.stored {
		c.bucket.vol.metrics.recreated.Inc()
	}
	link, err := c.store(ctx, dir.Slot())
	if err != nil {
		return holdfast.Link{}, err
	}
	first := !c.stored
	c.stored, c.link = true, link
	if first && c.large {
		c.err = c.finish(link.Size)
	}
	return link, c.err
}

// load reads the body as far as is needed to know whether it is small.
func (c *creation) load() error {
	if c.loaded {
		return c.err
	}
	c.loaded = true
	limit := c.bucket.vol.opts.ReplaySize
	if c.body == nil {
		c.body = bytes.NewReader(nil)
	}
	if c.large = c.size > limit; c.large {
		return nil
	}
	if c.size >= 0 {
		limit = c.size
	}
	c.kept, c.err = c.readUpTo(limit)
	switch {
	case c.err != nil:
	case c.size < 0 && int64(len(c.kept)) > limit:
		c.large = true
	case c.size >= 0 && int64(len(c.kept)) != c.size:
		c.err = holdfast.E("volume.read body", holdfast.Aborted, io.ErrUnexpectedEOF)
	default:
		c.err = c.finish(int64(len(c.kept)))
	}
	return c.err
}

// readUpTo reads the body to its end, or one byte past the limit.
func (c *creation) readUpTo(limit int64) ([]byte, error) {
	var buf []byte
	switch {
	case limit <= smallBody:
		c.buf = smallBuffers.Get().(*[]byte)
		buf = (*c.buf)[:limit+1]
	case c.size >= 0:
		buf = make([]byte, limit+1)
	default: // grow towards the limit
		b, err := io.ReadAll(io.LimitReader(c.body, limit+1))
		return b, err
	}
	n := 0
	for n < len(buf) {
		m, err := c.body.Read(buf[n:])
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return buf[:n], nil
}

// store puts the bytes on an object server: the first that takes them, in the order of preference.
func (c *creation) store(ctx context.Context, home holdfast.Slot) (holdfast.Link, error) {
	if !c.large && len(c.kept) == 0 {
		return holdfast.Link{}, nil
	}
	v := c.bucket.vol
	var pace pacer
	for {
		var last, full error
		for _, id := range v.spread.order(v.router.services.ObjectServers(), c.bucket.nameHash(c.key)) {
			link, err := c.storeOn(ctx, id, home)
			switch {
			case err == nil:
				return link, nil
			case c.err != nil:
				return holdfast.Link{}, c.err
			case holdfast.Is(err, holdfast.NoSpace):
				full = err
			case transient(ctx, err):
				last = err
			default:
				return holdfast.Link{}, err
			}
		}
		if last == nil && full != nil {
			return holdfast.Link{}, full
		}
		if last == nil {
			last = fail("create", holdfast.Unavailable, "no object server")
		}
		if !pace.again(ctx, v.router, last) {
			return holdfast.Link{}, last
		}
	}
}

// storeOn stores the bytes on one server. After an error that leaves nothing to store again, c.err is set.
func (c *creation) storeOn(ctx context.Context, id holdfast.ServiceID, home holdfast.Slot) (holdfast.Link, error) {
	v := c.bucket.vol
	s, err := v.router.services.ObjectServer(ctx, id)
	if err != nil {
		return holdfast.Link{}, err
	}
	req := holdfast.CreateRequest{Home: home, Size: c.size}
	if !c.large {
		req.Size = int64(len(c.kept))
		return s.Create(ctx, req, bytes.NewReader(c.kept))
	}
	if c.stored { // under another home: copy the bytes
		src := v.reader(ctx, holdfast.Content{Link: c.link}, 0, c.link.Size)
		defer src.Close()
		req.Size = c.link.Size
		return s.Create(ctx, req, src)
	}
	tap := &tap{r: c.body}
	link, err := s.Create(ctx, req, io.MultiReader(bytes.NewReader(c.kept), tap))
	switch {
	case err == nil:
	case tap.err != nil:
		c.err = tap.err
	case tap.n > 0:
		c.err = err
		if transient(ctx, err) && !holdfast.Is(err, holdfast.Aborted) { // Aborted: the body had another length
			c.err = holdfast.E("volume.create", holdfast.Unavailable, errors.Join(errSpent, err))
		}
	}
	return link, err
}

// tap counts what a body yields and keeps the error it ended in, so that it can be told from those of the server.
type tap struct {
	r   io.Reader
	n   int64
	err error
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

// doomed is told that the bytes were given up before they were committed. Small ones are stored again.
func (c *creation) doomed(err error) error {
	if c.large {
		return holdfast.E("volume.commit", holdfast.Unavailable, errors.Join(errSpent, err))
	}
	c.bucket.vol.metrics.recreated.Inc()
	c.stored, c.link = false, holdfast.Link{}
	return nil
}

// giveUpFor bounds how long a failed commit's bytes are seen to at once; the guard does it later otherwise.
const giveUpFor = 2 * time.Second

// giveUp frees the bytes of a commit that certainly did not take effect and never will. If that is not certain they are left
// to their guard: asking for the fate of a committed object would make the name server forget it.
func (c *creation) giveUp(ctx context.Context) {
	if !c.stored || c.link.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpFor)
	defer cancel()
	v := c.bucket.vol
	home := holdfast.NewDirID(c.link.Home, [16]byte{})
	names, err := v.router.services.NameServer(ctx, v.router.owner(home))
	if err != nil {
		return
	}
	object := holdfast.GuardedObject{Object: c.link.Object, Home: c.link.Home}
	fates, err := names.Settle(ctx, c.link.OS, []holdfast.GuardedObject{object})
	if err != nil || len(fates) != 1 || fates[0] != holdfast.FateDoomed {
		return
	}
	if objects, err := v.router.services.ObjectServer(ctx, c.link.OS); err == nil {
		_ = objects.Free(ctx, []holdfast.ObjectID{c.link.Object}) // the guard frees it otherwise
	}
}
