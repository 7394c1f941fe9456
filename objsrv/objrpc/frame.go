package objrpc

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"holdfast"
	"holdfast/objsrv/objrpc/objectpb"
)

// FrameData is how many bytes of content one frame carries at most. Each stream holds up to one frame more on each
// side than its window; a bigger frame saves little, since HTTP/2 cuts it into pieces of 16 KiB anyway.
const FrameData = 256 << 10

// frameHead bounds the encoded fields of a frame other than the data.
const frameHead = 64

// Field numbers of object.proto.
const (
	fieldData protowire.Number = 15

	createService protowire.Number = 1
	createHome    protowire.Number = 2
	createSize    protowire.Number = 3
	createLast    protowire.Number = 4

	readError protowire.Number = 1
	readLast  protowire.Number = 2
	readTotal protowire.Number = 3
)

var (
	errFrame     = errors.New("frame is not well-formed")
	errFrameData = fmt.Errorf("frame carries more than %d bytes", FrameData)
)

// outFrame is a frame to be sent: its small fields, encoded, and the data. Sending it gives the data away: gRPC
// returns the buffer to its pool when the bytes are on the wire.
type outFrame struct {
	head []byte
	data mem.Buffer // nil: none
}

// encode returns the wire form, which takes over the data.
func (f *outFrame) encode() mem.BufferSlice {
	if f.data == nil || f.data.Len() == 0 {
		return mem.BufferSlice{mem.SliceBuffer(f.head)}
	}
	head := protowire.AppendTag(f.head, fieldData, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(f.data.Len()))
	return mem.BufferSlice{mem.SliceBuffer(head), f.data}
}

// newCreateFrame builds a frame of a create. req is nil in all frames of a stream but the first.
func newCreateFrame(id holdfast.ServiceID, req *holdfast.CreateRequest, last bool, data mem.Buffer) *outFrame {
	b := make([]byte, 0, frameHead)
	if req != nil {
		b = protowire.AppendTag(b, createService, protowire.Fixed64Type)
		b = protowire.AppendFixed64(b, uint64(id))
		b = appendVarintField(b, createHome, uint64(req.Home))
		b = appendVarintField(b, createSize, protowire.EncodeZigZag(req.Size))
	}
	b = appendVarintField(b, createLast, protowire.EncodeBool(last))
	return &outFrame{head: b, data: data}
}

// newReadFrame builds a frame of a read that is not its last one.
func newReadFrame(data mem.Buffer) *outFrame {
	return &outFrame{head: make([]byte, 0, frameHead), data: data}
}

// newLastReadFrame builds the frame that ends a read of total bytes with err.
func newLastReadFrame(total int64, err error, data mem.Buffer) *outFrame {
	b := make([]byte, 0, frameHead)
	if wire := errorToWire(err); wire != nil {
		raw, _ := proto.Marshal(wire) // cannot fail: the message has no strings and no required fields
		b = protowire.AppendTag(b, readError, protowire.BytesType)
		b = protowire.AppendBytes(b, raw)
	}
	b = appendVarintField(b, readLast, 1)
	b = appendVarintField(b, readTotal, uint64(total))
	return &outFrame{head: b, data: data}
}

// appendVarintField leaves out zeros, as proto3 does.
func appendVarintField(b []byte, n protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

// inFrame is a received frame. Decoding it takes references to the buffers it lies in; free gives them back.
type inFrame interface {
	decode(mem.BufferSlice) error
}

// createFrame is a received CreateFrame.
type createFrame struct {
	service holdfast.ServiceID
	req     holdfast.CreateRequest
	last    bool
	payload
}

func (f *createFrame) decode(bufs mem.BufferSlice) error {
	*f = createFrame{}
	data, err := scanFrame(bufs, f)
	if err == nil {
		f.payload = data.hold(bufs)
	}
	return err
}

func (f *createFrame) number(n protowire.Number, t protowire.Type, v uint64) error {
	switch {
	case n == createService && t == protowire.Fixed64Type:
		f.service = holdfast.ServiceID(v)
	case n == createHome && t == protowire.VarintType:
		if v > math.MaxUint16 {
			return errFrame
		}
		f.req.Home = holdfast.Slot(v)
	case n == createSize && t == protowire.VarintType:
		f.req.Size = protowire.DecodeZigZag(v)
	case n == createLast && t == protowire.VarintType:
		f.last = protowire.DecodeBool(v)
	}
	return nil
}

func (f *createFrame) bytes(protowire.Number, []byte) error { return nil }

// readFrame is a received ReadFrame.
type readFrame struct {
	err   error
	last  bool
	total int64
	payload
}

func (f *readFrame) decode(bufs mem.BufferSlice) error {
	*f = readFrame{}
	data, err := scanFrame(bufs, f)
	if err == nil {
		f.payload = data.hold(bufs)
	}
	return err
}

func (f *readFrame) number(n protowire.Number, t protowire.Type, v uint64) error {
	switch {
	case n == readLast && t == protowire.VarintType:
		f.last = protowire.DecodeBool(v)
	case n == readTotal && t == protowire.VarintType:
		f.total = int64(v)
	}
	return nil
}

func (f *readFrame) bytes(n protowire.Number, b []byte) error {
	if n != readError {
		return nil
	}
	wire := new(objectpb.Error)
	if err := proto.Unmarshal(b, wire); err != nil {
		return errFrame
	}
	f.err = errorFromWire(wire)
	return nil
}
