package confrpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc/confpb"
)

// Server answers the RPCs of a [Service]. It keeps no state of its own and starts no goroutines.
type Server struct {
	confpb.UnimplementedConfigServiceServer

	service Service
}

// NewServer returns a server of svc.
func NewServer(svc Service) *Server { return &Server{service: svc} }

// Register puts the server on g, which was made with wire.ServerOptions or those of package objrpc.
func (s *Server) Register(g grpc.ServiceRegistrar) { confpb.RegisterConfigServiceServer(g, s) }

// Hello answers the RPC of that name; so do the methods below.
func (s *Server) Hello(ctx context.Context, r *confpb.HelloRequest) (*confpb.HelloReply, error) {
	from := Greeting{r.GetCluster(), holdfast.HostID(r.GetHost()), rangeFromWire(r.GetMinVersion(), r.GetMaxVersion())}
	g, err := s.service.Hello(ctx, from)
	return &confpb.HelloReply{
		Error: errorToWire(err), Cluster: g.Cluster, Host: uint64(g.Host),
		MinVersion: uint32(g.Speaks.Min), MaxVersion: uint32(g.Speaks.Max),
	}, nil
}

// Newest answers the RPC.
func (s *Server) Newest(ctx context.Context, r *confpb.NewestRequest) (*confpb.ConfigReply, error) {
	return configReply(s.service.Newest(ctx, r.GetAfter(), min(max(0, time.Duration(r.GetWaitNs())), MaxWait)))
}

// Publish answers the RPC.
func (s *Server) Publish(ctx context.Context, r *confpb.PublishRequest) (*confpb.ConfigReply, error) {
	c, err := config.ParseDraft(r.GetConfig())
	if err != nil {
		return configReply(config.Config{}, holdfast.E("confrpc.publish", holdfast.Invalid, err))
	}
	return configReply(s.service.Publish(ctx, r.GetBase(), c))
}

func configReply(c config.Config, err error) (*confpb.ConfigReply, error) {
	var b []byte
	if err == nil {
		b, err = c.Encode()
	}
	return &confpb.ConfigReply{Error: errorToWire(err), Config: b}, nil
}

// Owners answers the RPC.
func (s *Server) Owners(ctx context.Context, r *confpb.OwnersRequest) (*confpb.OwnersReply, error) {
	if len(r.GetServices()) > MaxOwners {
		return &confpb.OwnersReply{Error: errorToWire(holdfast.E("confrpc.owners", holdfast.TooLarge, nil))}, nil
	}
	owners, err := s.service.Owners(ctx, idsFromWire(r.GetServices()))
	return &confpb.OwnersReply{Error: errorToWire(err), Owners: ownersToWire(owners)}, nil
}

// Status answers the RPC.
func (s *Server) Status(ctx context.Context, _ *confpb.StatusRequest) (*confpb.StatusReply, error) {
	status, err := s.service.Status(ctx)
	reply := statusToWire(status)
	reply.Error = errorToWire(err)
	return reply, nil
}

// Release answers the RPC.
func (s *Server) Release(ctx context.Context, r *confpb.ReleaseRequest) (*confpb.ReleaseReply, error) {
	err := s.service.Release(ctx, holdfast.ServiceID(r.GetService()), holdfast.Epoch(r.GetEpoch()), holdfast.HostID(r.GetTo()))
	return &confpb.ReleaseReply{Error: errorToWire(err)}, nil
}

// Secrets answers the RPC.
func (s *Server) Secrets(ctx context.Context, _ *confpb.SecretsRequest) (*confpb.SecretsReply, error) {
	files, err := s.service.Secrets(ctx)
	return &confpb.SecretsReply{Error: errorToWire(err), Files: files}, nil
}

// Renew answers the RPC.
func (s *Server) Renew(ctx context.Context, r *confpb.RenewRequest) (*confpb.RenewReply, error) {
	g, err := s.service.Renew(ctx, r.GetRequest())
	return &confpb.RenewReply{Error: errorToWire(err), Certificate: g.Certificate, Bundle: g.Bundle}, nil
}
