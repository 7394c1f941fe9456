// Package objrpc carries holdfast.ObjectService over gRPC. [Server] answers for the object servers that were added to
// it, [Client] is an object server that lives in another process.
//
// Its invariant: what a caller learns through a Client is what it would have learned by calling the implementation
// behind it, or an error whose kind says that the wire failed and what is known then. In particular nothing is stored
// unless the whole body and its end-of-data flag arrived, and nothing is reported read that was not written to the
// caller's writer.
//
// Errors of the contract travel inside the replies, with their kind as a number; a gRPC status is always the
// transport's own. That keeps "the server says no" apart from "the reply was lost" ([Client] has the table).
//
// Bodies travel in frames of at most [FrameData] bytes. A body or a range that fits one frame takes one message each
// way; longer ones are streams, whose memory is bounded by the stream window ([wire.StreamWindow]) and one frame on each
// side. The frames are ordinary protobuf messages, but written and read by hand in frame.go: the generated code would
// copy each byte once more on the way out and twice on the way in, and would allocate each frame.
//
// It is not a retry layer and not a router: package volume decides where a call goes and whether it goes again.
//
// The messages are described in objectpb/object.proto. To regenerate the code: install protoc 3.21 or later
// (apt-get install protobuf-compiler), then
//
//	go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
//	go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.1
//	go generate ./objsrv/objrpc
package objrpc

//go:generate protoc -I objectpb --go_out=objectpb --go_opt=paths=source_relative --go-grpc_out=objectpb --go-grpc_opt=paths=source_relative objectpb/object.proto
