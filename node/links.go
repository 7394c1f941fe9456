package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"holdfast"
	"holdfast/membership/ca"
	"holdfast/membership/confrpc"
	"holdfast/membership/confrpc/confpb"
	"holdfast/node/confdir"
	"holdfast/wire"
)

// links are the connections between this node and others: mutual TLS by certificates of the cluster's own authority.
type links struct {
	keeper *ca.Keeper
}

// openLinks reads the certificates of this host.
func openLinks(p *Peer) (*links, error) {
	l := new(links)
	var err error
	l.keeper, err = ca.Open(ca.Options{
		Dir: p.dir.Path(confdir.PKI), Log: p.log, Registerer: p.registry, Now: p.env.Now, Renew: p.renewOnceOpen,
		Admit: func(id ca.Identity) error {
			if _, ok := p.tracker.get().Host(id.Host); !ok {
				return fmt.Errorf("host %s is not in the configuration", id.Host)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	self := l.keeper.Self()
	if self.Cluster != p.me.Cluster || self.Host != p.me.Host.Value {
		return nil, errors.Join(fmt.Errorf("the certificate is of %s, %s of host %s of cluster %s", self, confdir.NodeFile, p.me.Host.Value, p.me.Cluster),
			l.keeper.Close())
	}
	return l, nil
}

// dial makes a connection to a node; it connects when it is used.
func (l *links) dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		append(wire.DialOptions(), grpc.WithTransportCredentials(credentials.NewTLS(l.keeper.Client(0))))...)
}

// serverOptions are those of the server that other nodes call.
func (l *links) serverOptions() []grpc.ServerOption {
	door := l.keeper.Server(ca.RoleHost, ca.RoleGateway)
	greeter := l.keeper.Greeter()
	greeter.NextProtos = []string{"h2"} // credentials.NewTLS does this for door alone
	door.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName == confrpc.JoinName {
			return greeter, nil
		}
		return nil, nil // go on with door
	}
	return []grpc.ServerOption{
		grpc.Creds(credentials.NewTLS(door)),
		grpc.UnaryInterceptor(func(ctx context.Context, r any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if err := admit(ctx, info.FullMethod); err != nil {
				return nil, err
			}
			return handle(ctx, r)
		}),
		grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if err := admit(s.Context(), info.FullMethod); err != nil {
				return err
			}
			return handle(srv, s)
		}),
	}
}

// hostsOnly are the methods that change the cluster: gateways on machines without the mount may not call them.
func hostsOnly(method string) bool {
	return method == confpb.ConfigService_Publish_FullMethodName || method == confpb.ConfigService_Release_FullMethodName
}

// admit sees that whoever calls a method may do so. Those without a certificate may join and nothing else. Whoever showed one was looked at
// when the connection was made, so that this costs the calls of services next to nothing.
func admit(ctx context.Context, method string) error {
	from, ok := peer.FromContext(ctx)
	if ok {
		info, secure := from.AuthInfo.(credentials.TLSInfo)
		ok = secure && len(info.State.PeerCertificates) > 0
	}
	if !ok && !strings.HasPrefix(method, "/"+confpb.JoinService_ServiceDesc.ServiceName+"/") {
		return status.Error(codes.Unauthenticated, "the caller showed no certificate of this cluster")
	}
	if !hostsOnly(method) {
		return nil
	}
	if who, err := callerOf(ctx); err != nil || who.Role != ca.RoleHost {
		return status.Error(codes.PermissionDenied, "for hosts only")
	}
	return nil
}

// callerOf returns who calls, by the certificate. Denied if there is none.
func callerOf(ctx context.Context) (ca.Identity, error) {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return ca.Identity{}, holdfast.E("identify caller", holdfast.Denied, nil)
	}
	info, ok := from.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return ca.Identity{}, holdfast.E("identify caller", holdfast.Denied, nil)
	}
	return ca.PeerOf(info.State)
}

func (l *links) close() error { return l.keeper.Close() }
