package objrpc

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec for all other messages
	"google.golang.org/grpc/mem"
)

// frameCodec is gRPC's protobuf codec, except that it knows the hand-written frames. It keeps the name "proto",
// because what it writes is protobuf.
type frameCodec struct{ encoding.CodecV2 }

func newFrameCodec() frameCodec { return frameCodec{encoding.GetCodecV2("proto")} }

// Marshal encodes v. The data of an outFrame is not copied; it goes to the transport as it is.
func (c frameCodec) Marshal(v any) (mem.BufferSlice, error) {
	if f, ok := v.(*outFrame); ok {
		return f.encode(), nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal decodes data into v. An inFrame takes references to data instead of copying it.
func (c frameCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if f, ok := v.(inFrame); ok {
		return f.decode(data)
	}
	return c.CodecV2.Unmarshal(data, v)
}
