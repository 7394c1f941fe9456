// Package namerpc carries holdfast.NameService over gRPC. [Server] answers for the name servers that were added to it,
// [Client] is a name server that lives in another process.
//
// Its invariant: the conversion between the contract's types and the messages loses nothing. What an implementation
// gets is what the caller passed, what the caller gets is what the implementation returned, up to this: an empty slice
// or map comes out as nil (but an empty []byte stays one, since nil means another thing in holdfast.SetBucket), times
// come out in UTC, and the cause of an error keeps its text and kind only.
//
// Errors of the contract travel inside the replies, with their kind as a number; a gRPC status is always the
// transport's own. That keeps "the server says no" apart from "the reply was lost" ([Client] has the table).
//
// It is not a retry layer and not a router: package volume decides where a call goes and whether it goes again.
//
// The messages are described in namepb/name.proto. To regenerate the code: install protoc 3.21 or later
// (apt-get install protobuf-compiler), then
//
//	go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
//	go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.1
//	go generate ./namesrv/namerpc
package namerpc

//go:generate protoc -I namepb --go_out=namepb --go_opt=paths=source_relative --go-grpc_out=namepb --go-grpc_opt=paths=source_relative namepb/name.proto
