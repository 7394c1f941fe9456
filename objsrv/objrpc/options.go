package objrpc

import (
	"google.golang.org/grpc"

	"holdfast/wire"
)

// ServerOptions are what a grpc.Server must be made with to serve a [Server]; without them it cannot read the frames.
// They are good for name services on the same listener, too. The caller adds credentials and interceptors; with
// interceptors it must expect messages of the two data calls that are not proto.Message, and so must the interceptors of a
// connection, which is made with [wire.DialOptions].
func ServerOptions() []grpc.ServerOption {
	return append(wire.ServerOptions(), grpc.ForceServerCodecV2(newFrameCodec()))
}
