package wire

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// The limits of the wire, the same on both sides.
const (
	// MaxMessage is the size of one message. A full page of 10,000 entries with a few headers each takes about 3 MiB, an
	// entry of 10,000 parts about 1 MiB, 10,000 records of objects about 0.5 MiB. Package namerpc cuts questions up whose
	// answers are larger; object data travels in frames far below it.
	MaxMessage = 64 << 20

	// StreamWindow is how many bytes of one stream the receiver takes in before its reader has asked for them.
	StreamWindow = 1 << 20

	// ConnWindow is the same for a connection. gRPC renews it as bytes arrive, whether or not they are read, so a
	// slow stream does not hold up the others.
	ConnWindow = 16 << 20

	// MaxStreams is how many calls one connection carries at a time; more wait on the client's side.
	MaxStreams = 1024

	// SocketBuffer is how many bytes are handed to the socket, and taken from it, in one go.
	SocketBuffer = 128 << 10

	// KeepaliveTime is how long a connection may be silent before it is probed, KeepaliveTimeout how long the answer may
	// take before the connection is given up and its calls fail.
	KeepaliveTime    = 10 * time.Second
	KeepaliveTimeout = 5 * time.Second

	// MinReconnect and MaxReconnect bound the pause between attempts to connect: short, because a service that moved
	// or restarted answers within a second or so and requests wait for it.
	MinReconnect = 20 * time.Millisecond
	MaxReconnect = time.Second

	// ConnectTimeout bounds one attempt to connect.
	ConnectTimeout = 3 * time.Second
)

// ServerOptions are what a grpc.Server of services is to be made with. A listener of object services takes those of package
// objrpc, which are these and one more. The caller adds credentials and interceptors.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(MaxMessage),
		grpc.StaticStreamWindowSize(StreamWindow),
		grpc.StaticConnWindowSize(ConnWindow),
		grpc.MaxConcurrentStreams(MaxStreams),
		grpc.ReadBufferSize(SocketBuffer),
		grpc.WriteBufferSize(SocketBuffer),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: KeepaliveTime, Timeout: KeepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: KeepaliveTime / 2, PermitWithoutStream: true}),
		grpc.WaitForHandlers(true), // Stop returns when no call is inside an engine any more
	}
}

// DialOptions are the options of connections to such a server, for object and name services alike. The caller adds
// credentials, and interceptors under the condition that package objrpc names.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithNoProxy(),              // the environment's proxy is for the outside world
		grpc.WithDisableServiceConfig(), // no TXT queries, and no policy from DNS
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithStaticStreamWindowSize(StreamWindow),
		grpc.WithStaticConnWindowSize(ConnWindow),
		grpc.WithReadBufferSize(SocketBuffer),
		grpc.WithWriteBufferSize(SocketBuffer),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: KeepaliveTime, Timeout: KeepaliveTimeout, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: MinReconnect, Multiplier: 1.6, Jitter: 0.2, MaxDelay: MaxReconnect},
			MinConnectTimeout: ConnectTimeout,
		}),
	}
}
