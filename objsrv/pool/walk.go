package pool

import (
	"context"
	"io"

	"holdfast"
)

// Headers calls f for every sound header in every pool file, in no order that means anything, and bad for every slot
// that holds something else. A header says what was written to a block last, not that it is still in use. It reads
// header areas only.
func (s *Set) Headers(ctx context.Context, f func(a Addr, h *Header) error, bad func(a Addr, err error)) error {
	for c := range s.pools {
		for _, file := range *s.pools[c].files.Load() {
			if err := file.headers(ctx, f, bad); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *File) headers(ctx context.Context, visit func(a Addr, h *Header) error, bad func(a Addr, err error)) error {
	g := f.geo
	area := make([]byte, g.headerArea())
	for first := uint32(0); first < f.limit; first += g.regionBlocks {
		if ctx.Err() != nil {
			return holdfast.E("pool.headers", holdfast.Aborted, ctx.Err())
		}
		clear(area)
		if _, err := f.buf.ReadAt(area, g.headerOffset(first)); err != nil && err != io.EOF {
			return ioError("pool.headers", err)
		}
		for i := range g.regionBlocks {
			a := Addr{g.class, g.epoch, first + i}
			h, found, err := decodeHeader(area[i*g.headerSlot:(i+1)*g.headerSlot], a)
			if err != nil {
				bad(a, err)
			} else if found {
				if err := visit(a, &h); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
