package objrpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
	"holdfast/wire"
)

// cutUp spreads b over buffers of random sizes, empty ones among them, as the transport does.
func cutUp(r *rand.Rand, b []byte) mem.BufferSlice {
	var bufs mem.BufferSlice
	for len(b) > 0 {
		n := min(len(b), r.IntN(20)*r.IntN(100))
		bufs = append(bufs, mem.SliceBuffer(b[:n]))
		b = b[n:]
	}
	return bufs
}

func someBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, r.IntN(n))
	for i := range b {
		b[i] = byte(r.Uint64())
	}
	return b
}

// TestCreateFrameIsProtobuf checks the hand-written frame against the generated code, both ways.
func TestCreateFrameIsProtobuf(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		req := holdfast.CreateRequest{Home: holdfast.Slot(r.Uint32()), Size: int64(r.Uint64()) >> r.IntN(64)}
		id, last, data := holdfast.ServiceID(r.Uint64()), r.IntN(2) == 0, someBytes(r, 3000)
		b := newCreateFrame(id, &req, last, mem.SliceBuffer(data)).encode().Materialize()

		var w objectpb.CreateFrame
		if err := proto.Unmarshal(b, &w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := &objectpb.CreateFrame{Service: uint64(id), Home: uint32(req.Home), Size: req.Size, Last: last, Data: data}
		if !proto.Equal(&w, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, &w, want)
		}
		generated, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{b, generated} {
			var f createFrame
			if err := f.decode(cutUp(r, b)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got, _ := io.ReadAll(&f.payload)
			if f.service != id || f.req != req || f.last != last || !bytes.Equal(got, data) {
				t.Fatalf("seed %d: got %+v with %x, want %v with %x", seed, f, got, want, data)
			}
			f.free()
		}
	}
}

func TestReadFrameIsProtobuf(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		total, data := int64(r.Uint64()), someBytes(r, 3000)
		failure := error(&holdfast.Error{Op: "x", Kind: holdfast.Kind(r.IntN(holdfast.Kinds)), Err: &wire.RemoteError{Text: "y"}})
		if r.IntN(2) == 0 {
			failure = nil
		}
		b := newLastReadFrame(total, failure, mem.SliceBuffer(data)).encode().Materialize()

		var w objectpb.ReadFrame
		if err := proto.Unmarshal(b, &w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := &objectpb.ReadFrame{Error: errorToWire(failure), Last: true, Total: total, Data: data}
		if !proto.Equal(&w, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, &w, want)
		}
		var f readFrame
		if err := f.decode(cutUp(r, b)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var got bytes.Buffer
		if _, err := f.WriteTo(&got); err != nil {
			t.Fatal(err)
		}
		if f.total != total || !f.last || !reflect.DeepEqual(f.err, failure) || !bytes.Equal(got.Bytes(), data) {
			t.Fatalf("seed %d: got %+v with %x, want %v with %x", seed, f, got.Bytes(), want, data)
		}
	}
}

// FuzzFrames decodes arbitrary bytes in arbitrary pieces. What the generated code reads, the hand-written code reads
// alike, except that it refuses too much data and groups; what the generated code refuses, it may pass over.
func FuzzFrames(f *testing.F) {
	req := &holdfast.CreateRequest{Home: 4095, Size: -1}
	f.Add(newCreateFrame(testID, req, true, mem.SliceBuffer("hello")).encode().Materialize(), uint64(1))
	f.Add(newLastReadFrame(5, errors.New("x"), mem.SliceBuffer("hello")).encode().Materialize(), uint64(2))
	f.Add([]byte{0x7a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, uint64(3))
	f.Add([]byte{0x7a, 1, 'a', 0x7a, 2, 'b', 'c', 0x25, 1, 2}, uint64(4))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 3))
		var create createFrame
		if err := create.decode(cutUp(r, b)); err == nil {
			var w objectpb.CreateFrame
			data, _ := io.ReadAll(&create.payload)
			if proto.Unmarshal(b, &w) == nil && w.Home <= math.MaxUint16 {
				got := &objectpb.CreateFrame{Service: uint64(create.service), Home: uint32(create.req.Home),
					Size: create.req.Size, Last: create.last, Data: data}
				w.ProtoReflect().SetUnknown(nil)
				if !proto.Equal(got, &w) {
					t.Errorf("got %v, want %v", got, &w)
				}
			}
			create.free()
		}
		var read readFrame
		if err := read.decode(cutUp(r, b)); err == nil {
			if n, err := read.WriteTo(io.Discard); n > FrameData || err != nil {
				t.Errorf("%d bytes of data, %v", n, err)
			}
			read.free()
		}
	})
}

// countingPool counts the buffers that are lent.
type countingPool struct{ lent int }

func (p *countingPool) Get(n int) *[]byte { p.lent++; b := make([]byte, n); return &b }
func (p *countingPool) Put(*[]byte)       { p.lent-- }

func TestFramesGiveTheirBuffersBack(t *testing.T) {
	pool := new(countingPool)
	b := pool.Get(5000)
	buf := mem.NewBuffer(b, pool)
	bufs := newCreateFrame(testID, &holdfast.CreateRequest{}, true, buf).encode()
	var f createFrame
	if err := f.decode(bufs); err != nil {
		t.Fatal(err)
	}
	bufs.Free()
	if pool.lent != 1 {
		t.Errorf("%d buffers are lent while the frame is held, want 1", pool.lent)
	}
	f.free()
	f.free() // freeing twice is harmless
	if pool.lent != 0 {
		t.Errorf("%d buffers are lent after free, want 0", pool.lent)
	}
}

func TestFramePoolReusesByCapacity(t *testing.T) {
	var p framePool
	for _, n := range []int{0, 1, smallFrame, smallFrame + 1, FrameData, FrameData + 1} {
		b := p.Get(n)
		if len(*b) != n {
			t.Errorf("Get(%d) has %d bytes", n, len(*b))
		}
		*b = (*b)[:0]
		p.Put(b)
		if b = p.Get(n); len(*b) != n {
			t.Errorf("Get(%d) after Put has %d bytes", n, len(*b))
		}
	}
}

func TestErrorsKeepKindAndText(t *testing.T) {
	inner := &holdfast.Error{Op: "pool.read", Kind: holdfast.Corrupt, ID: "1-2", Err: errors.New("bad checksum")}
	for _, err := range []error{
		inner,
		fmt.Errorf("reading: %w", inner),
		&holdfast.Error{Op: "objsrv.get", Err: inner},
		&holdfast.Error{Op: "objsrv.get", Kind: holdfast.NotFound, ID: "a/\xff"},
		&holdfast.Error{},
		&holdfast.Error{Op: "x", Err: errors.New("")},
		errors.New("plain"),
	} {
		b, merr := proto.Marshal(errorToWire(err))
		if merr != nil {
			t.Fatal(merr)
		}
		var w objectpb.Error
		if uerr := proto.Unmarshal(b, &w); uerr != nil {
			t.Fatal(uerr)
		}
		got := errorFromWire(&w)
		if got.Error() != err.Error() || holdfast.KindOf(got) != holdfast.KindOf(err) {
			t.Errorf("got %q of kind %v, want %q of kind %v", got, holdfast.KindOf(got), err, holdfast.KindOf(err))
		}
	}
	for _, n := range []uint32{uint32(holdfast.Kinds), 1 << 16, 1<<32 - 1} {
		if got := holdfast.KindOf(errorFromWire(&objectpb.Error{Kind: n, Op: []byte("x")})); got != holdfast.Other {
			t.Errorf("kind %d became %v, want other", n, got)
		}
	}
}

// randomValue fills a struct of numbers, ids and times; about a third of its fields stays zero.
func randomValue(r *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if r.IntN(3) > 0 {
			v.Set(reflect.ValueOf(time.Unix(int64(r.Uint64()), r.Int64N(1e9)).UTC()))
		}
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			randomValue(r, v.Field(i))
		}
		return
	}
	if r.IntN(3) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(int64(r.Uint64() >> r.IntN(64)))
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	default:
		panic(fmt.Sprintf("no random values of %v", v.Type()))
	}
}

func random[T any](r *rand.Rand) T {
	var v T
	randomValue(r, reflect.ValueOf(&v).Elem())
	return v
}

// carried sends a message through its bytes.
func carried[M proto.Message](t *testing.T, in, out M) M {
	t.Helper()
	b, err := proto.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConversionLosesNothing(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 4))
		link := random[holdfast.Link](r)
		if got, err := linkFromWire(carried(t, linkToWire(link), new(objectpb.Link))); got != link || err != nil {
			t.Fatalf("seed %d: got %+v, want %+v, %v", seed, got, link, err)
		}
		info := random[holdfast.ObjectInfo](r)
		got, err := infosFromWire(carried(t, &objectpb.StatReply{Infos: infosToWire([]holdfast.ObjectInfo{info})}, new(objectpb.StatReply)).Infos)
		if err != nil || got[0] != info {
			t.Fatalf("seed %d: got %+v, want %+v, %v", seed, got, info, err)
		}
		status := random[holdfast.ObjectStatus](r)
		if got := statusFromWire(carried(t, statusToWire(status), new(objectpb.StatusReply))); got != status {
			t.Fatalf("seed %d: got %+v, want %+v", seed, got, status)
		}
		ids := []holdfast.ObjectID{random[holdfast.ObjectID](r), random[holdfast.ObjectID](r)}
		if got, err := idsFromWire(idsToWire(ids)); err != nil || !reflect.DeepEqual(got, ids) {
			t.Fatalf("seed %d: got %+v, want %+v, %v", seed, got, ids, err)
		}
	}
}

func TestMalformedFieldsAreRefused(t *testing.T) {
	if _, err := idsFromWire(make([]uint64, 3)); err == nil {
		t.Error("half an id was accepted")
	}
	if _, err := linkFromWire(&objectpb.Link{Home: 1 << 16}); err == nil {
		t.Error("a link with a big slot was accepted")
	}
	for _, w := range []*objectpb.ObjectInfo{{Home: 1 << 16}, {CreatedNs: 1e9}} {
		if _, err := infosFromWire([]*objectpb.ObjectInfo{w}); err == nil {
			t.Errorf("%v was accepted", w)
		}
	}
}
