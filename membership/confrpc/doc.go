// Package confrpc is the configuration API that every node answers: the newest configuration and the way to change it, who owns
// which service, what a node is at, and the release of a service that another host is to have. [Service] is the contract, [Server] carries
// it over gRPC and [Client] is one in another process.
//
// Its invariant: nothing here decides who owns a service. A release closes a service in good order; the claims on the mount
// still arbitrate. What Owners says is a hint, as the owner files are.
//
// Callers are hosts and gateways of the cluster: the listener asks for their certificate, and this package does not look again.
// Join is the exception: whoever has no certificate yet proves that it knows the cluster's password, see [JoinServer].
//
// The messages are described in confpb/conf.proto. To regenerate the code: see package objsrv/objrpc for the tools, then
//
//	go generate ./membership/confrpc
package confrpc

//go:generate protoc -I confpb --go_out=confpb --go_opt=paths=source_relative --go-grpc_out=confpb --go-grpc_opt=paths=source_relative confpb/conf.proto
