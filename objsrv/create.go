package objsrv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"holdfast"
	"holdfast/objsrv/crc"
	"holdfast/objsrv/index"
	"holdfast/objsrv/pool"
)

// Create implements [holdfast.ObjectService].
func (e *Engine) Create(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	if err := e.enter(); err != nil {
		return holdfast.Link{}, err
	}
	defer e.leave()
	started := time.Now()
	link, err := e.create(ctx, req, body)
	e.metrics.create(link.Size, time.Since(started), err)
	return link, err
}

func (e *Engine) create(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	switch {
	case req.Home >= holdfast.Slots || req.Size < -1:
		return holdfast.Link{}, createError(holdfast.Invalid, fmt.Errorf("home %d, size %d", req.Home, req.Size))
	case req.Size > holdfast.MaxObjectSize:
		return holdfast.Link{}, createError(holdfast.TooLarge, fmt.Errorf("%d bytes", req.Size))
	case ctx.Err() != nil:
		return holdfast.Link{}, createError(holdfast.Aborted, ctx.Err())
	}
	if err := e.held(); err != nil { // R2
		return holdfast.Link{}, err
	}
	if req.Size > smallObject {
		return e.createBig(ctx, req, nil, body)
	}
	return e.createSmall(ctx, req, body)
}

func createError(kind holdfast.Kind, err error) error {
	return holdfast.E("objsrv.create", kind, err)
}

// createSmall gathers the body in one buffer and leaves all else to the commit group.
func (e *Engine) createSmall(ctx context.Context, req holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	room := req.Size
	if room < 0 {
		room = smallObject
	}
	buf := e.pieces.get(room)
	n, ended, err := readFull(body, (*buf)[:room+1])
	if err != nil {
		e.pieces.put(room, buf)
		return holdfast.Link{}, err
	}
	if !ended { // there is more
		defer e.pieces.put(room, buf)
		if req.Size >= 0 {
			return holdfast.Link{}, createError(holdfast.Aborted, fmt.Errorf("the body has more than %d bytes", req.Size))
		}
		return e.createBig(ctx, req, (*buf)[:n], body)
	}
	if req.Size >= 0 && int64(n) != req.Size {
		e.pieces.put(room, buf)
		return holdfast.Link{}, createError(holdfast.Aborted, fmt.Errorf("the body has %d of %d bytes", n, req.Size))
	}
	if n == 0 {
		e.pieces.put(room, buf)
		return holdfast.Link{OS: e.opt.Self, Home: req.Home}, nil
	}
	if ctx.Err() != nil {
		e.pieces.put(room, buf)
		return holdfast.Link{}, createError(holdfast.Aborted, ctx.Err())
	}
	ch := e.smallChange(req.Home, (*buf)[:n])
	link, err := e.commitObject(ch)
	if !holdfast.Is(err, holdfast.Unknown) { // else a parked group may still read the buffer
		e.pieces.put(room, buf)
	}
	return link, err
}

// smallChange cuts the object and sums it up.
func (e *Engine) smallChange(home holdfast.Slot, data []byte) *change {
	r := &index.Record{Home: home, Size: int64(len(data)), Created: e.now()}
	ch := &change{record: r, data: data, classes: pool.Cut(nil, r.Size)}
	r.Sums = make([]uint32, 0, len(ch.classes))
	rest := data
	for _, class := range ch.classes { // none is bigger than a sub-block
		n := min(int64(len(rest)), class.Size())
		sum := crc.Sum(rest[:n])
		if len(r.Sums) == 0 {
			r.CRC = sum
		} else {
			r.CRC = crc.Join(r.CRC, sum, n)
		}
		r.Sums = append(r.Sums, sum)
		rest = rest[n:]
	}
	return ch
}

// commitObject waits for the group and makes the link.
func (e *Engine) commitObject(ch *change) (holdfast.Link, error) {
	if err := e.commits.submit(ch); err != nil {
		return holdfast.Link{}, fmt.Errorf("objsrv.create: %w", err)
	}
	if !ch.record.External() {
		e.pins.created(ch.id, ch.record)
	}
	return holdfast.Link{
		OS: e.opt.Self, Object: ch.id, Home: ch.record.Home, Size: ch.record.Size, CRC: ch.record.CRC,
	}, nil
}

// now is the time to the millisecond, as records keep it.
func (e *Engine) now() time.Time { return time.UnixMilli(e.opt.Now().UnixMilli()) }

var errStuck = errors.New("the body returned neither bytes nor an error 100 times")

// readFull reads until buf is full or the body ends. A body's error other than io.EOF comes back as it is.
func readFull(body io.Reader, buf []byte) (n int, ended bool, err error) {
	for idle := 0; n < len(buf); {
		k, err := body.Read(buf[n:])
		n += k
		switch {
		case err == io.EOF:
			return n, true, nil
		case err != nil:
			return n, false, err
		case k > 0:
			idle = 0
		default:
			if idle++; idle == 100 {
				return n, false, createError(holdfast.Invalid, errStuck)
			}
		}
	}
	return n, false, nil
}
